#!/usr/bin/env python3
"""Thirty and fifty real nodes: how fast they meet, and how quiet they are afterwards."""

import os
import time

import swimtest
from swimtest import load_tests  # noqa: F401

JOIN_SECONDS = 2.0      # all see all, after the last start
IDLE_DATAGRAMS = 2.2    # sent a node a second, at most
IDLE_SECONDS = 20.0
# KiB of memory that a node shares with nobody, after it was asked over HTTP; the mean of all.
IDLE_OWN_KIB = 720

# What is allocated is not all used; this would write to all of it.
os.environ.pop("MALLOC_PERTURB_", None)


def own_kib(node):
    with open(f"/proc/{node.pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))


class ManyNodes(swimtest.SwimTestCase):
    # One after the other: they measure.

    def test_thirty_nodes_join_one_seed(self):
        seed = self.node()
        nodes = [seed] + [self.node(peers=[seed]) for _ in range(29)]
        took = self.await_all_alive(nodes, JOIN_SECONDS)
        print(f"30 nodes saw each other {took:.2f} s after the last start")
        # One of them crashes: everybody else says so, and nobody doubts anybody else.
        victim = nodes[17]
        killed = time.monotonic()
        victim.kill()
        survivors = [n for n in nodes if n is not victim]
        took = self.await_status(survivors, victim.addr, "dead", 20, since=killed)
        print(f"29 survivors said dead {took:.2f} s after kill -9")
        self.assertEqual(self.total(survivors, "refutations"), 0)
        # Another leaves.
        leaver = survivors.pop()
        told = time.monotonic()
        leaver.terminate()
        took = self.await_status(survivors, leaver.addr, "left", 2, since=told)
        print(f"28 nodes said left {took:.2f} s after SIGTERM")

    def test_fifty_nodes_meet_and_are_quiet(self):
        config = self.file("quiet.toml", "[metrics]\nlog_interval_ms = 60000\n")
        nodes = self.cluster(50, "--config", config)
        took = self.await_all_alive(nodes, JOIN_SECONDS)
        print(f"50 nodes saw each other {took:.2f} s after the last start")
        self.await_quiet(nodes)

        before = {name: self.total(nodes, name) for name in ("datagrams_sent", "gossip_sent")}
        began = time.monotonic()
        time.sleep(IDLE_SECONDS)
        after = {name: self.total(nodes, name) for name in before}
        seconds = time.monotonic() - began
        rate = (after["datagrams_sent"] - before["datagrams_sent"]) / len(nodes) / seconds
        print(f"50 idle nodes: {rate:.3f} datagrams sent a node a second over {seconds:.0f} s")
        self.assertLessEqual(rate, IDLE_DATAGRAMS)
        self.assertGreater(rate, 1.0, "the failure detector must still work")
        self.assertEqual(after["gossip_sent"], before["gossip_sent"], "no news, no gossip")
        self.assertEqual(self.total(nodes, "suspicions_raised"), 0)
        self.assertEqual(self.total(nodes, "rate_limited"), 0,
                         "the rate limiter must never bite a healthy cluster")
        own = sum(map(own_kib, nodes)) / len(nodes)
        print(f"50 idle nodes: {own:.0f} KiB of its own each")
        if not swimtest.is_sanitized():
            self.assertLessEqual(own, IDLE_OWN_KIB)


if __name__ == "__main__":
    swimtest.main()
