#!/usr/bin/env python3
"""One stranger at the full speed of loopback against all five members of a sealed cluster, for half a
minute: nobody is suspected, HTTP answers at once, and the members' processor time is bounded."""

import json
import os
import struct
import subprocess
import time

import sealtest
import swimtest
from swimtest import load_tests  # noqa: F401

FLOOD = os.environ.get("FLOOD", os.path.join(swimtest.ROOT, "build", "tests", "e2e", "flood"))
SECONDS = int(os.environ.get("SWIM_FLOOD_SECONDS", "30" if swimtest.FACTOR == 1 else "10"))
IDLE_SECONDS = 10 if SECONDS >= 30 else 4
ASK_EVERY_S = 0.2
HEALTHZ_S = 0.1
# Of one processor, for each member, above what it uses without a flood. docs/security.md states it.
SHARE_MAX = 0.15


def cpu_ns(node):
    """Time that the process has spent on a processor."""
    with open(f"/proc/{node.pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


class Flood(sealtest.SealTestCase):
    def setUp(self):
        super().setUp()
        if not os.access(FLOOD, os.X_OK):
            self.skipTest(f"{FLOOD} is not there: build it, or name it in FLOOD")

    def node_of(self, key, peers):
        number = len(self.nodes) + 1
        config = self.file(f"{number}.toml", f'[security]\nkey_file = "{key}"\n')
        return self.node("--config", config, peers=peers)

    def capture(self, nodes):
        """What the members said, for the stranger to repeat; "-" where nothing can be listened to."""
        if not sealtest.Tap.is_possible():
            return "-"
        tap = sealtest.Tap(self, [node.port for node in nodes])
        self.await_probes(nodes, 4)
        tap.close()
        self.assertGreater(len(tap.seen), 40)
        return self.file("capture", b"".join(struct.pack(">H", len(data)) + data
                                             for _, _, data in tap.seen[:1000]))

    def watch(self, nodes, seconds):
        """Asks everybody for their health all the time; returns (processor time of all in ns,
        seconds, latencies)."""
        latencies = []
        began, before = time.monotonic(), [cpu_ns(node) for node in nodes]
        while time.monotonic() - began < seconds:
            turn = time.monotonic()
            for node in nodes:
                asked = time.monotonic()
                self.assertEqual(node.http("/healthz", timeout=5)[0], 200)
                latencies.append(time.monotonic() - asked)
            time.sleep(max(0.0, ASK_EVERY_S - (time.monotonic() - turn)))
        used = [cpu_ns(node) - b for node, b in zip(nodes, before)]
        return used, time.monotonic() - began, sorted(latencies)

    def dropped(self, nodes):
        """What arrived and was not taken for a member's, by cause."""
        total = {}
        for node in nodes:
            for name, value in node.metrics().items():
                if name.startswith(("swim_rate_limited", "swim_socket_receive_overflows",
                                    "swim_seal_drops", "swim_shield")):
                    total[name] = total.get(name, 0) + value
        return total

    def test_sealed_cluster(self):
        key = sealtest.draw_key()
        path = self.key_file("key", key)
        nodes = []
        for _ in range(5):
            nodes.append(self.node_of(path, nodes[:2]))
        self.await_all_alive(nodes, 10)
        capture = self.capture(nodes)
        idle, idle_s, idle_latencies = self.watch(nodes, IDLE_SECONDS)
        before = self.dropped(nodes)
        counters = {node: node.counter("acks_recv") for node in nodes}
        flood = swimtest.spawn([FLOOD, str(SECONDS), sealtest.key_id(key)[6:], capture,
                                *(str(node.port) for node in nodes)], stdout=subprocess.PIPE)
        self.addCleanup(flood.stdout.close)
        self.addCleanup(flood.wait)
        self.addCleanup(flood.kill)
        busy, busy_s, latencies = self.watch(nodes, SECONDS - 0.5)
        sent = json.loads(flood.communicate(timeout=30)[0])
        drops = {name: value - before.get(name, 0) for name, value in self.dropped(nodes).items()}
        acks = [node.counter("acks_recv") - counters[node] for node in nodes]
        self.tell(sent, drops, (idle, idle_s), (busy, busy_s), latencies)
        print(f"flood: ACKs {acks}, direct time-outs "
              f"{[node.counter('probe_direct_timeouts') for node in nodes]}, suspicions "
              f"{[len(node.lines('member suspected')) for node in nodes]}; idle /healthz worst "
              f"{idle_latencies[-1] * 1000:.1f} ms")
        self.assert_never_doubted(nodes, nodes)
        self.assertLess(latencies[-1], HEALTHZ_S * swimtest.FACTOR)
        for i, node in enumerate(nodes):
            share = busy[i] / busy_s / 1e9 - idle[i] / idle_s / 1e9
            self.assertLess(share, SHARE_MAX * swimtest.FACTOR, node.name)
            self.assertEqual(len(node.live() or ()), 5)
        # When it is over, everything is as before: strangers are heard.
        swimtest.wait_until(lambda: all(node.metrics()["swim_shield_up"] == 0 for node in nodes), 15,
                            "the kernel's filter is gone")
        nodes.append(self.node_of(path, nodes[:1]))
        self.await_all_alive(nodes, 10)

    def tell(self, sent, drops, idle, busy, latencies):
        total = sum(sent[name] for name in ("random", "headers", "plain", "replay"))
        idle_share = sum(idle[0]) / idle[1] / 1e9
        busy_share = sum(busy[0]) / busy[1] / 1e9
        each = (busy_share - idle_share) * sent["seconds"] * 1e9 / total
        print(f"flood: {total / sent['seconds']:,.0f} datagrams a second from one stranger: {sent}\n"
              f"flood: processor time of five members: idle {idle_share:.2%} of one processor, "
              f"flooded {busy_share:.2%} (ratio {busy_share / idle_share:.1f}); "
              f"{each:.0f} ns a datagram of the flood\n"
              f"flood: /healthz asked {len(latencies)} times: median "
              f"{latencies[len(latencies) // 2] * 1000:.1f} ms, worst {latencies[-1] * 1000:.1f} ms\n"
              f"flood: dropped: { {name: int(v) for name, v in sorted(drops.items()) if v} }")


if __name__ == "__main__":
    swimtest.main()
