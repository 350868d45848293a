#!/usr/bin/env python3
"""swimctl monitor and ping: events over restarts of the daemon without a gap that isn't told and
without a duplicate; answers that are waited for."""

import json
import os
import queue
import signal
import subprocess
import threading

import swimctltest
import swimtest
from swimctltest import FAILURE, PARTIAL, SWIMCTL, TIMEOUT, UNREACHABLE, USAGE
from swimtest import load_tests  # noqa: F401

QUICK = """[probes]
interval_ms = 200
timeout_ms = 100
suspect_timeout_ms = 300
suspect_timeout_min_ms = 300
suspect_jitter_ms = 0
"""


class Monitor:
    """swimctl monitor, its lines taken as they come."""

    def __init__(self, path, *arguments):
        self.process = swimtest.spawn([SWIMCTL, "--socket", path, "monitor", *arguments],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True,
                                      env=swimctltest.environment())
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def take(self, seconds=15):
        line = self.lines.get(timeout=seconds * swimtest.FACTOR)
        event = json.loads(line)
        self.seen.append(event)
        return event

    def take_until(self, kind, addr=None, seconds=15):
        while True:
            event = self.take(seconds)
            if event["kind"] == kind and addr in (None, event.get("member", {}).get("addr")):
                return event

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(5)
        self.process.stdout.close()
        self.process.stderr.close()


class Monitoring(swimctltest.CtlCase):
    side_by_side = True

    def monitor(self, node, *arguments):
        monitor = Monitor(node.control, *arguments)
        self.addCleanup(monitor.end)
        return monitor

    def test_events_and_a_restart(self):
        config = self.file("swim.toml", QUICK)
        one = self.controlled("--config", config)
        monitor = self.monitor(one, "--json", "--since", "0")
        two = self.node("--config", config, peers=[one])
        self.assertEqual(monitor.take_until("joined", two.addr)["member"]["status"], "alive")
        two.kill()
        self.assertEqual(monitor.take_until("failed", two.addr)["before"], "suspect")
        # The daemon is killed, and another one is in its place.
        one.kill()
        self.assertEqual(monitor.take()["kind"], "disconnected")
        one.start()
        self.assertEqual(monitor.take_until("connected")["kind"], "connected")
        missed = monitor.take_until("missed")
        self.assertEqual((missed["reason"], missed["missed"]), ("restarted", None))
        three = self.node("--config", config, peers=[one])
        monitor.take_until("joined", three.addr)
        self.check_order(monitor.seen)

    @staticmethod
    def check_order(events):
        """Every event once, in order, none left out but where it is said."""
        last = {}
        for event in events:
            if event["kind"] in ("missed", "connected", "disconnected", "dropped"):
                continue
            start, number = event["id"].split("-")
            if start in last:
                assert int(number) == last[start] + 1, (last, event)
            last[start] = int(number)
        assert len(last) == 2, last

    def test_goes_on_after_a_broken_connection(self):
        """The connection breaks, not the daemon: what happened meanwhile is told, and nothing
        else is."""
        config = self.file("swim.toml", QUICK)
        one = self.controlled("--config", config)
        two = self.node("--config", config, peers=[one])
        self.await_all_alive([one, two], 10)
        relay = os.path.join(self.directory, "relay.sock")
        broker = Broker(relay, one.control)
        self.addCleanup(broker.close)
        monitor = Monitor(relay, "--json", "--since", "0")
        self.addCleanup(monitor.end)
        monitor.take_until("joined", two.addr)
        broker.break_all(is_open=False)
        monitor.take_until("disconnected")
        three = self.node("--config", config, peers=[one])
        self.await_all_alive([one, two, three], 10)
        broker.is_open = True
        monitor.take_until("joined", three.addr)
        ids = [e["id"] for e in monitor.seen if "id" in e]
        self.assertEqual(len(ids), len(set(ids)))
        numbers = [int(i.split("-")[1]) for i in ids]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertNotIn("missed", [e["kind"] for e in monitor.seen])

    def test_words(self):
        config = self.file("swim.toml", QUICK)
        one = self.controlled("--config", config)
        two = self.node("--config", config, peers=[one])
        self.await_all_alive([one, two], 10)
        text = self.ctl(one, "monitor", "--since", "0", "--count", "1")
        self.assertRegex(text, rf"^\d{{4}}-\S+Z joined        .*{two.addr} \d+\n$")
        self.assertEqual(text.count("\n"), 1)
        self.ctl(one, "ping", two.self_id())
        pings = [line for line in self.ctl(one, "monitor", "--since", "0", "--count",
                                           str(self.last_number(one))).splitlines()
                 if " pong " in line]
        self.assertRegex(pings[0], rf"{two.addr} \d+ answered after [\d.]+ [mu]?s$")
        only = json.loads(self.ctl(one, "monitor", "--since=0", "--count=1", "--json"))
        self.assertEqual((only["kind"], only["member"]["addr"]), ("joined", two.addr))

    def last_number(self, node):
        """How many events the daemon has told so far."""
        return int(swimtest.parse_metrics(self.ctl(node, "metrics"))["swim_events_total"])

    def test_filters(self):
        one = self.controlled()
        monitor = self.monitor(one, "--json", "--status", "left", "--since", "0")
        two = self.node(peers=[one])
        self.await_all_alive([one, two], 10)
        two.terminate()
        self.assertEqual(monitor.take()["kind"], "left")

    def test_usage(self):
        node = self.controlled()
        self.ctl("/nowhere", "monitor", code=UNREACHABLE)
        for wrong in (["--count", "0"], ["--count", "x"], ["--since", "a b"], ["--since", ""],
                      ["--status", "x"], ["--tag", "="]):
            self.ctl(node, "monitor", *wrong, code=USAGE)
        with subprocess.Popen([SWIMCTL, "--socket", node.control, "monitor", "--since", "0"],
                              stdout=subprocess.PIPE) as process:
            process.stdout.close()
            other = self.node(peers=[node])
            self.await_all_alive([node, other], 10)
            process.wait(10)
            self.assertEqual(process.returncode, -signal.SIGPIPE, "as by any reader that ends")


class Broker:
    """Passes connections of a socket on to another, until told to break them."""

    def __init__(self, path, target):
        import socket
        self.socket = socket
        self.target = target
        self.is_open = True
        self.connections = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            server = self.socket.socket(self.socket.AF_UNIX)
            server.connect(self.target)
            self.connections += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def break_all(self, is_open):
        self.is_open = is_open
        for connection in self.connections:
            try:
                connection.shutdown(self.socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self.connections = []

    def close(self):
        self.break_all(False)
        self.listener.close()


class Pinging(swimctltest.CtlCase):
    side_by_side = True

    def test_ping(self):
        one = self.controlled()
        two = self.controlled(peers=[one])
        self.await_all_alive([one, two], 10)
        other, own = two.self_id(), one.self_id()
        self.assertRegex(self.ctl(one, "ping", other), rf"^{other}: answered after [\d.]+ [mu]?s\n$")
        result = self.ctl_json(one, "ping", other)["results"][0]
        self.assertEqual((result["member"], result["id"], result["addr"]), (other, other, two.addr))
        self.assertTrue(0 < result["rtt_seconds"] < 1)
        self.assertIn("itself", self.ctl(one, "ping", own, code=FAILURE))
        self.ctl(one, "ping", "12345", code=FAILURE)
        two.signal(signal.SIGSTOP)
        self.assertIn("not answered", self.ctl(one, "ping", other, code=TIMEOUT))
        self.ctl(one, "ping", other, "--timeout", "0.1", code=TIMEOUT)
        two.signal(signal.SIGCONT)
        self.ctl(one, "ping", other, own, code=PARTIAL)

    def test_many_at_once(self):
        one = self.controlled()
        two = self.controlled(peers=[one])
        self.await_all_alive([one, two], 10)
        other = two.self_id()
        two.signal(signal.SIGSTOP)
        # Some give up before the daemon does; what they asked for must not become others' answer.
        hasty = [self.start(one, "--timeout", "0.05", "ping", other) for _ in range(4)]
        patient = [self.start(one, "ping", other) for _ in range(4)]
        self.assertEqual({p.wait(20) for p in hasty}, {TIMEOUT})
        two.signal(signal.SIGCONT)
        self.assertLessEqual({p.wait(20) for p in patient}, {0, TIMEOUT})
        self.ctl(one, "ping", other)

    @staticmethod
    def start(node, *arguments):
        return swimtest.spawn([SWIMCTL, "--socket", node.control, *arguments],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=swimctltest.environment())


if __name__ == "__main__":
    swimtest.main()
