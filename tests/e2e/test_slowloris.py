#!/usr/bin/env python3
"""Slowloris: 500 connections that let a byte trickle now and then, for a minute, against a member of
a cluster of three. They take every place that HTTP has; who comes then is answered all the same, and
the member's probing never notices."""

import errno
import os
import selectors
import socket
import threading
import time

import swimtest
from swimtest import load_tests  # noqa: F401

CONNECTIONS = 500
# Builds that are slow by nature look for errors in memory, which come sooner.
SECONDS = float(os.environ.get("SWIM_SLOWLORIS_SECONDS", "60" if swimtest.FACTOR == 1 else "15"))
TRICKLE_S = 0.5  # a byte on each connection


class Slow:
    """One of them: it begins a request, and never ends it. Comes back when it is cut off."""

    def __init__(self, connect):
        self.connect = connect
        self.socket = None
        self.cuts = 0

    def step(self):
        try:
            if self.socket is None:
                self.socket = self.connect()
                self.socket.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            else:
                self.socket.send(b"x")
                if self.socket.recv(4096) == b"":
                    raise ConnectionResetError
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOTCONN):
                self.close()
                self.cuts += 1

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class Attack:
    """All of them, in a thread of their own."""

    def __init__(self, connect):
        self.slow = [Slow(connect) for _ in range(CONNECTIONS)]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            began = time.monotonic()
            for slow in self.slow:
                slow.step()
                if self.stop.is_set():
                    break
            self.stop.wait(max(0.05, TRICKLE_S - (time.monotonic() - began)))
        for slow in self.slow:
            slow.close()

    def end(self):
        self.stop.set()
        self.thread.join()

    @property
    def held(self):
        return sum(slow.socket is not None for slow in self.slow)

    @property
    def cuts(self):
        return sum(slow.cuts for slow in self.slow)


class Slowloris(swimtest.SwimTestCase):
    def test_http(self):
        nodes = self.cluster(3, "--log-level", "debug")
        self.await_all_alive(nodes, 5)
        victim = nodes[0]

        def connect():
            connection = socket.socket()
            connection.setblocking(False)
            code = connection.connect_ex(("127.0.0.1", victim.metrics_port))
            if code not in (0, errno.EINPROGRESS):
                connection.close()
                raise OSError(code, "connect")
            selector = selectors.DefaultSelector()
            selector.register(connection, selectors.EVENT_WRITE)
            is_open = bool(selector.select(0.2))
            selector.close()
            if not is_open:
                connection.close()
                raise OSError(errno.ETIMEDOUT, "connect")
            return connection

        attack = Attack(connect)
        self.addCleanup(attack.end)
        swimtest.wait_until(lambda: (attack.held > CONNECTIONS * 0.8, attack.held), 30,
                            "the attack holds its connections")
        began = time.monotonic()
        acks = victim.counter("acks_recv")
        refused = victim.metrics()["swim_http_connections_refused_total"]
        latencies = []
        while time.monotonic() - began < SECONDS:
            asked = time.monotonic()
            self.assertEqual(victim.http("/healthz", timeout=5)[0], 200)
            latencies.append(time.monotonic() - asked)
            time.sleep(0.1)
        took = time.monotonic() - began
        acks = victim.counter("acks_recv") - acks
        refused = victim.metrics()["swim_http_connections_refused_total"] - refused
        latencies.sort()
        print(f"slowloris: {CONNECTIONS} connections, {attack.held} of them open at the end, for "
              f"{took:.0f} s; cut off to make room: {refused:.0f}; /healthz asked "
              f"{len(latencies)} times on fresh connections: median "
              f"{latencies[len(latencies) // 2] * 1000:.1f} ms, worst "
              f"{latencies[-1] * 1000:.1f} ms; {acks} ACKs")
        self.assertLess(latencies[-1], 1.0 * swimtest.FACTOR)
        self.assertLess(latencies[len(latencies) // 2], 0.1 * swimtest.FACTOR)
        self.assertGreater(refused, 0, "they took all there is")
        # One probe a second, each acknowledged.
        self.assertGreaterEqual(acks, int(took * 0.9) - 1)
        for node in nodes:
            self.assertEqual(node.counter("probe_direct_timeouts"), 0)
        self.assert_never_doubted(nodes, nodes)


if __name__ == "__main__":
    swimtest.main()
