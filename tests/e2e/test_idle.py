#!/usr/bin/env python3
"""What a member does when nothing happens: it probes, it answers, and that is all. No allocation, no
system call that does no work, no wake-up without a cause."""

import os
import re
import shutil
import struct
import subprocess
import time
import unittest

import swimtest
from swimtest import load_tests  # noqa: F401

ALLOCATIONS = os.environ.get("ALLOCATIONS_SO", "")
MEMBERS = 10
SECONDS = 12.0
DATAGRAMS = 2.2         # sent a member a second, at most
WAKEUPS_BESIDE = 2.0    # a second, at most, beside one a datagram sent
# What a probe takes: wait, receive, send.
NEEDED = {"poll", "recvmmsg", "sendto", "sendmmsg"}
TIMERS = 1.2            # that fire, a second
# Attaching and detaching interrupt a wait each, a probe may be under way at either end, and where the
# machine is busy a late deadline looks into the socket once more.
EDGE = 3


def can_trace():
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def wakeups(node):
    """How often the process has slept, and was woken."""
    with open(f"/proc/{node.pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])


def files(node):
    """How many files it has open: its connections among them."""
    return len(os.listdir(f"/proc/{node.pid}/fd"))


def counts(node):
    """What it has allocated, resized, freed and mapped so far."""
    with open(node.counts, "rb") as file:
        return struct.unpack("4Q", file.read())


def summary(text):
    """strace -c: {system call: (calls, errors)}."""
    calls = {}
    for line in text.splitlines():
        row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:(\d+)\s+)?(\w+)$", line)
        if row and row[3] != "total":
            calls[row[3]] = (int(row[1]), int(row[2] or 0))
    return calls


class Idle(swimtest.SwimTestCase):
    side_by_side = True  # they count what single processes do, not how fast they are

    def quiet_cluster(self, environment=None):
        nodes = []
        for _ in range(MEMBERS):
            node = self.node(peers=nodes[:2], start=False)
            node.arguments += ["--config", self.file("quiet.toml", "[metrics]\nlog_interval_ms = 0\n")]
            node.environment = environment(node) if environment else None
            nodes.append(node.start())
        self.await_all_alive(nodes, 5)
        self.await_quiet(nodes)
        return nodes

    def await_same(self, nodes, look):
        """Until nothing is left to be done for those who asked by HTTP."""
        last = {}

        def probe():
            now = {node: look(node) for node in nodes}
            is_same = now == last
            last.update(now)
            return is_same, now

        swimtest.wait_until(probe, 20, "answers are freed, connections closed", interval=2.0)
        return last

    def test_wakeups(self):
        nodes = self.quiet_cluster()
        # In this order, else the questions would count as wake-ups.
        sent = self.total(nodes, "datagrams_sent")
        woken, began = sum(map(wakeups, nodes)), time.monotonic()
        time.sleep(SECONDS)
        woken, took = sum(map(wakeups, nodes)) - woken, time.monotonic() - began
        sent = self.total(nodes, "datagrams_sent") - sent
        woken, sent = woken / took / MEMBERS, sent / took / MEMBERS
        print(f"idle: {sent:.2f} datagrams sent, {woken:.2f} wake-ups a member and second")
        self.assertLessEqual(sent, DATAGRAMS)
        self.assertGreater(sent, 1.0, "the failure detector must still work")
        self.assertLessEqual(woken, sent + WAKEUPS_BESIDE)

    @unittest.skipUnless(can_trace(), "strace can't trace here")
    def test_system_calls(self):
        nodes = self.quiet_cluster()
        node, path = nodes[3], os.path.join(self.directory, "calls")
        before = node.get_json("/metrics/json")
        self.await_same([node], files)
        log = node.log()
        tracer = swimtest.spawn(["strace", "-f", "-c", "-o", path, "-p", str(node.pid)],
                                stderr=subprocess.PIPE, text=True)
        self.addCleanup(tracer.stderr.close)
        self.addCleanup(tracer.kill)
        self.assertIn("attached", tracer.stderr.readline())
        time.sleep(SECONDS)
        tracer.terminate()
        tracer.wait()
        after = node.get_json("/metrics/json")
        with open(path, encoding="utf-8") as file:
            calls = summary(file.read())
        moved = {name: after[name] - before[name] for name in ("datagrams_sent", "datagrams_recv")}
        print(f"idle: {calls}; {moved}")
        needed = NEEDED | {"restart_syscall"} | ({"write"} if node.log() != log else set())
        self.assertEqual(set(calls) - needed, set(), "nothing else is needed")
        sends = sum(calls.get(name, (0, 0))[0] for name in ("sendto", "sendmmsg"))
        self.assertGreater(sends, SECONDS / 2, "it was traced while it worked")
        # Each call did something: one datagram or more, and a wait for each of them or for the timer.
        self.assertLessEqual(sends, moved["datagrams_sent"])
        self.assertLessEqual(calls["recvmmsg"][0], moved["datagrams_recv"])
        # (the probe's, and HTTP's, which is rare while nobody is connected).
        self.assertLessEqual(calls["poll"][0], moved["datagrams_recv"] + TIMERS * SECONDS + EDGE)
        for name, (_, errors) in calls.items():
            self.assertLessEqual(errors, EDGE, name)

    @unittest.skipUnless(os.access(ALLOCATIONS, os.R_OK), "ALLOCATIONS_SO: not built")
    @unittest.skipIf(swimtest.is_sanitized(), "a sanitizer has an allocator of its own")
    def test_allocations(self):
        def environment(node):
            node.counts = os.path.join(self.directory, f"{node.name}.allocations")
            return {"LD_PRELOAD": ALLOCATIONS, "ALLOCATIONS": node.counts}

        nodes = self.quiet_cluster(environment)
        before = self.await_same(nodes, counts)
        slept = {node: wakeups(node) for node in nodes}
        time.sleep(SECONDS)
        for node in nodes:
            self.assertGreater(wakeups(node) - slept[node], SECONDS, "it was at work")
            self.assertEqual(counts(node), before[node], f"{node.name}: allocated, resized, freed, mapped")
        # And the counts do count.
        self.assertEqual(nodes[0].http("/healthz")[0], 200)
        self.assertGreater(counts(nodes[0])[0], before[nodes[0]][0])


if __name__ == "__main__":
    swimtest.main()
