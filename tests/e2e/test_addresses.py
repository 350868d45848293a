#!/usr/bin/env python3
"""IPv6, dual stack, wildcard addresses, and what is advertised."""

import os
import socket
import subprocess
import sys
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
    def test_dual_stack_with_peers_of_one_family(self):
        # What it tells of itself is what its peers can reach.
        for host in ("127.0.0.1", "::1"):
            port = swimtest.free_port()
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            node = self.node("--advertise", shown, port=port, host=host, bind=f"[::]:{port}")
            peer = self.node(host=host, peers=[node])
            self.await_all_alive([node, peer], 1)
            swimtest.hold(lambda pair=(node, peer): (all(n.live() for n in pair),
                                                     [n.view() for n in pair]),
                          5, "nobody doubts anybody", interval=0.2)
            for one in (node, peer):
                self.assertNotIn("ffff", str(one.view()).lower(), "an IPv4-mapped address is shown")
                self.assertNotIn("[::]", str(one.view()))
            peer.terminate()
            self.await_status([node], peer.addr, "left", 1)

    @unittest.skipUnless(has_ipv6(), "no IPv6 on loopback")
    def test_dual_stack_everywhere(self):
        # Three dual-stack nodes, of which two tell of an IPv4 address and one of an IPv6 one.
        ports = [swimtest.free_port() for _ in range(3)]
        nodes = []
        for port, host in zip(ports, ("127.0.0.1", "::1", "127.0.0.1")):
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            nodes.append(self.node("--advertise", shown, port=port, host=host,
                                   bind=f"[::]:{port}", peers=nodes[:1]))
        self.await_all_alive(nodes, 1)
        swimtest.hold(lambda: (all(n.live() for n in nodes), [n.view() for n in nodes]), 6,
                      "nobody doubts anybody", interval=0.2)
        nodes[1].kill()
        self.await_status([nodes[0], nodes[2]], nodes[1].addr, "dead", 12)
        nodes[2].terminate()
        self.await_status([nodes[0]], nodes[2].addr, "left", 1)

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
        node = self.node(start=False)
        node.command = lambda: [swimtest.SWIMD, "--metrics-port", str(node.metrics_port)]
        node.start()
        node.await_http()
        self.assertRegex(node.membership()[0]["addr"], r"^127\.0\.0\.1:[1-9]\d*$")
        node.terminate()

    def test_no_two_tests_are_given_one_port(self):
        # Not even one to which nothing is bound: a test may expect silence there.
        ours = swimtest.free_port()
        draws = f"""
import swimtest
swimtest.random.SystemRandom.randrange = lambda *_, ports=iter([{ours}, 12345]): next(ports)
swimtest._is_free = lambda port: True
print(swimtest.free_port())
"""
        directory = os.path.dirname(os.path.abspath(swimtest.__file__))
        other = subprocess.run([sys.executable, "-c", draws], cwd=directory, capture_output=True,
                               text=True, timeout=30, check=False)
        self.assertNotEqual(other.stdout.strip(), str(ours), other.stderr)
        # If somebody has that one too, there was no third to draw.
        self.assertTrue(other.stdout.strip() == "12345" or "StopIteration" in other.stderr,
                        other.stderr)


if __name__ == "__main__":
    swimtest.main()
