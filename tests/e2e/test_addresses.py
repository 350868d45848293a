#!/usr/bin/env python3
"""IPv6, dual stack, wildcard addresses, and what is advertised."""

import socket
import unittest

import swimtest
from swimtest import load_tests  # noqa: F401


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


class Addresses(swimtest.SwimTestCase):
    side_by_side = True

    @unittest.skipUnless(has_ipv6(), "no IPv6 on loopback")
    def test_ipv6(self):
        nodes = self.cluster(3, host="::1")
        self.await_all_alive(nodes, 1)
        nodes[2].kill()
        self.await_status(nodes[:2], nodes[2].addr, "dead", 12)
        self.assert_never_doubted(nodes[:2], nodes[:2])
        nodes[1].terminate()
        self.await_status(nodes[:1], nodes[1].addr, "left", 1)

    @unittest.skipUnless(has_ipv6(), "no IPv6 on loopback")
    def test_dual_stack(self):
        # One socket for both families: an IPv4 peer and an IPv6 peer meet through it. They can't
        # reach each other, so only the middle one is asked for its view.
        port = swimtest.free_port()
        middle = self.node("--advertise", f"127.0.0.1:{port}", port=port, bind=f"[::]:{port}")
        v4 = self.node(peers=[f"127.0.0.1:{port}"])
        v6 = self.node(host="::1", peers=[f"[::1]:{port}"])
        wanted = sorted([middle.addr, v4.addr, v6.addr])
        swimtest.wait_until(lambda: (middle.live() == wanted, middle.view()), 2,
                            "the dual-stack node sees both")
        self.await_all_alive([middle, v4, v6], 3)
        for node in (middle, v4, v6):
            self.assertNotIn("ffff", str(node.view()).lower(), "no IPv4-mapped address is shown")
            self.assertNotIn("[::]", str(node.view()))

    def test_wildcard_with_advertise(self):
        port = swimtest.free_port()
        node = self.node("--advertise", f"127.0.0.1:{port}", port=port, bind=f"0.0.0.0:{port}")
        peer = self.node(peers=[node])
        self.await_all_alive([node, peer], 2)
        self.assertEqual(node.addr, f"127.0.0.1:{port}")

    def test_wildcard_never_shows(self):
        # Without --advertise an address is derived, or, where there is none, asked for.
        port = swimtest.free_port()
        node = self.node(port=port, bind=f"0.0.0.0:{port}")
        peer = self.node(peers=[f"127.0.0.1:{port}"], start=False)
        try:
            node.await_http()
        except AssertionError:
            code, _ = node.wait(1)
            self.assertIn(code, (3, 4))
            self.assertIn("--advertise", node.log())
            return
        peer.start()
        swimtest.wait_until(lambda: (peer.view() and len(peer.live() or ()) == 2, peer.view()), 3,
                            "its peer sees it")
        for one in (node, peer):
            for member in one.membership():
                self.assertNotIn(member["addr"].rsplit(":", 1)[0], ("0.0.0.0", "[::]", ""))

    def test_port_zero_is_replaced_by_the_real_one(self):
        node = self.node(bind="127.0.0.1:0").await_http()
        (addr,) = [n["addr"] for n in node.membership()]
        host, port = addr.rsplit(":", 1)
        self.assertEqual(host, "127.0.0.1")
        self.assertGreater(int(port), 0)
        peer = self.node(peers=[addr])
        node.addr = addr
        self.await_all_alive([node, peer], 2)

    def test_default_bind(self):
        metrics_port = swimtest.free_port()
        process = swimtest.spawn([swimtest.SWIMD, "--metrics-port", str(metrics_port)],
                                 stdout=open(self.file("default.log", ""), "wb"),
                                 stderr=-2)
        self.addCleanup(process.kill)
        node = self.node(metrics_port=metrics_port, start=False)
        node.process = process
        node.await_http()
        self.assertRegex(node.membership()[0]["addr"], r"^127\.0\.0\.1:[1-9]\d*$")
        node.terminate()


if __name__ == "__main__":
    swimtest.main()
