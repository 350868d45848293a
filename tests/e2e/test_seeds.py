#!/usr/bin/env python3
"""Seeds: late ones, names, unresolvable and unreachable ones."""

import signal
import time

import swimtest
from swimtest import load_tests  # noqa: F401

# A name that no resolver may find: c-ares refuses .onion itself (RFC 7686) and asks nobody.
NO_SUCH_NAME = "no-such-host.onion:7000"


class Seeds(swimtest.SwimTestCase):
    side_by_side = True

    def test_node_started_before_its_seed(self):
        late = self.node(start=False)
        early = self.node(peers=[late])
        early.await_http()
        # Long enough for another implementation's placeholder of the seed to die.
        swimtest.hold(lambda: (early.live() == [early.addr], early.view()), 8,
                      "alone without its seed, and calm about it", interval=0.5)
        self.assertEqual(early.http("/readyz")[0], 503, "not ready before it has joined")
        late.start()
        self.await_all_alive([early, late], 5)
        swimtest.wait_until(lambda: early.http("/readyz")[0] == 200, 2, "ready once joined")
        self.assertEqual(early.lines("dead"), [])

    def test_silence_of_all_peers_is_told(self):
        nobody = self.node(start=False)
        node = self.node(peers=[nobody])
        swimtest.wait_until(lambda: node.lines("no peer has answered"), 15, "a warning")
        self.assertIn(nobody.addr, node.lines("no peer has answered")[0])
        self.assertIn("are key and cluster the same?", node.lines("no peer has answered")[0])

    def test_first_node_without_peers_is_ready_at_once(self):
        node = self.node().await_http()
        status, _, _ = node.http("/readyz")
        self.assertEqual(status, 200)

    def test_mutual_seeds_started_together(self):
        # Each waits for the other: nobody may wait to be ready before it can be found.
        first = self.node(start=False)
        second = self.node(peers=[first], start=False)
        first.peers = [second.addr]
        first.start()
        second.start()
        self.await_all_alive([first, second], 2)

    def test_seed_by_name(self):
        seed = self.node()
        node = self.node(peers=[f"localhost:{seed.port}"])
        self.await_all_alive([seed, node], 2)
        self.assertEqual(node.terminate() < 2 * swimtest.FACTOR, True)

    def test_late_seed_by_name(self):
        late = self.node(start=False)
        early = self.node(peers=[f"localhost:{late.port}"])
        early.await_http()
        time.sleep(2)
        late.start()
        self.await_all_alive([early, late], 5)

    def test_unresolvable_name(self):
        began = time.monotonic()
        node = self.node(peers=[NO_SUCH_NAME])
        node.await_http(1.0)
        self.assertLess(time.monotonic() - began, 1.0 * swimtest.FACTOR)
        swimtest.wait_until(lambda: node.lines("no-such-host.onion"), 5, "a warning names it")
        self.assertEqual(node.live(), [node.addr])
        time.sleep(3)
        self.assertLessEqual(len(node.lines("no-such-host.onion")), 3, "warned, not repeated")
        node.terminate()

    def test_unresolvable_name_beside_a_good_seed(self):
        seed = self.node()
        node = self.node(peers=[NO_SUCH_NAME, seed.addr])
        self.await_all_alive([seed, node], 2)

    def test_unreachable_seeds_delay_neither_start_nor_stop(self):
        silent = [f"127.0.0.1:{swimtest.free_port()}" for _ in range(5)]
        began = time.monotonic()
        node = self.node(peers=silent)
        node.await_http(1.0)
        self.assertLess(time.monotonic() - began, 1.0 * swimtest.FACTOR)
        time.sleep(2)
        self.assertEqual(node.membership()[0]["addr"], node.addr)
        self.assertEqual(len(node.membership()), 1, "a seed is no member before it answers")
        self.assertLess(node.terminate(), 1.0 * swimtest.FACTOR)

    def test_stop_right_after_the_start(self):
        seed = self.node()
        seed.await_http()
        for _ in range(5):
            node = self.node(peers=[seed, NO_SUCH_NAME])
            swimtest.wait_until(lambda node=node: node.log(), 5, "it says something")
            node.terminate()
        # Whoever was met has left; nobody is alive any more but the seed.
        swimtest.wait_until(lambda: (seed.live() == [seed.addr], seed.view()), 2,
                            "only the seed is alive")

    def test_itself_among_its_seeds(self):
        # One configuration for all nodes: everybody is everybody's seed.
        first = self.node(start=False)
        second = self.node(start=False)
        for node in (first, second):
            node.peers = [first.addr, second.addr]
            node.start()
        self.await_all_alive([first, second], 2)

    def test_isolated_node_returns_when_its_peers_do(self):
        # Both peers stop for longer than suspicion: dead, and found again without an operator.
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 2)
        lonely, others = nodes[0], nodes[1:]
        for node in others:
            node.signal(signal.SIGSTOP)
        for node in others:
            self.await_status([lonely], node.addr, "dead", 20)
        for node in others:
            node.signal(signal.SIGCONT)
        self.await_all_alive(nodes, 15, since=time.monotonic())


if __name__ == "__main__":
    swimtest.main()
