#!/usr/bin/env python3
"""Signals: leaving, leaving at once, reloading, and broken pipes."""

import os
import signal
import subprocess
import time

import swimtest
from swimtest import load_tests  # noqa: F401


class Signals(swimtest.SwimTestCase):
    side_by_side = True

    def leaving_node(self):
        """A node whose leave must wait for a peer that has just stopped answering."""
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 2)
        nodes[0].signal(signal.SIGSTOP)
        return nodes[1], nodes[0]

    def test_leave_without_an_answer_is_bounded(self):
        leaver, silent = self.leaving_node()
        # reliable_ack_timeout_ms * (reliable_max_retries + 1) = 2 s, and then it goes.
        told = time.monotonic()
        leaver.signal(signal.SIGTERM)
        code, _ = leaver.wait(3)
        self.assertEqual(code, 0)
        self.assertGreater(time.monotonic() - told, 0.5, "the leave was not waited for")
        silent.signal(signal.SIGCONT)
        # The announcement waits in its socket: it reads it on waking up.
        self.await_status([silent], leaver.addr, "left", 2)

    def test_second_sigterm_exits_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM),
                              (signal.SIGTERM, signal.SIGINT)):
            leaver, silent = self.leaving_node()
            leaver.signal(first)
            time.sleep(0.2)
            self.assertTrue(leaver.is_running(), "it waits for an acknowledgement")
            leaver.signal(second)
            swimtest.wait_until(lambda: leaver.lines("exiting at once"), 0.3,
                                "it does not wait any more")
            leaver.wait(0.3 if swimtest.FACTOR == 1 else 1)  # a sanitizer looks for leaks first
            silent.kill()

    def test_sigint_leaves_too(self):
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 2)
        nodes[1].signal(signal.SIGINT)
        self.await_status(nodes[:1], nodes[1].addr, "left", 1)
        self.assertEqual(nodes[1].wait(2)[0], 0)

    def test_signal_at_any_time_of_the_start(self):
        # Either it had not installed its handlers yet, or it leaves: never a hang, never a crash.
        for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05):
            node = self.node()
            time.sleep(delay)
            node.signal(signal.SIGTERM)
            code, _ = node.wait(2)
            self.assertIn(code, (0, -signal.SIGTERM))

    def test_sighup_reloads_what_can_change(self):
        config = self.file("swim.toml", '[log]\nlevel = "info"\n[metrics]\nlog_interval_ms = 0\n')
        node = self.node("--config", config).await_http()
        pid = node.pid
        self.assertEqual(node.lines("debug"), [])
        before = len(node.log())
        self.file("swim.toml", '[log]\nlevel = "debug"\n[metrics]\nlog_interval_ms = 200\n')
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: (node.lines("reload"), node.log()), 2, "it says so")
        # The console metrics line now comes five times a second.
        swimtest.wait_until(lambda: (len(node.log().splitlines()) > 5, node.log()[before:]), 4,
                            "the new interval of the console line is used")
        self.assertEqual(node.pid, pid)
        node.terminate()

    def test_sighup_with_a_new_peer(self):
        other = self.node().await_http()
        config = self.file("swim.toml", "")
        node = self.node("--config", config).await_http()
        self.file("swim.toml", f'[network]\npeers = ["{other.addr}"]\n')
        node.signal(signal.SIGHUP)
        self.await_all_alive([other, node], 3, since=time.monotonic())

    def test_sighup_names_what_needs_a_restart(self):
        config = self.file("swim.toml", "[probes]\ninterval_ms = 1000\n")
        node = self.node("--config", config).await_http()
        self.file("swim.toml", "[probes]\ninterval_ms = 2000\n")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: (node.lines("probes.interval_ms"), node.log()), 2,
                            "the key is named")

    def test_sighup_with_a_broken_file_changes_nothing(self):
        config = self.file("swim.toml", "[gossip]\nfanout = 10\n")
        node = self.node("--config", config).await_http()
        self.file("swim.toml", "[gossip]\nfanout = 0\n")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: (node.lines("swim.toml:2", "fanout"), node.log()), 2,
                            "the error is named")
        os.remove(config)
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: (node.lines("can't be read"), node.log()), 2, "a missing file")
        self.assertEqual(node.http("/healthz")[0], 200)
        node.terminate()

    def test_sighup_without_a_file(self):
        node = self.node().await_http()
        node.signal(signal.SIGHUP)
        self.assertEqual(node.http("/healthz")[0], 200)
        swimtest.hold(node.is_running, 0.5, "SIGHUP does not end it")
        node.terminate()

    def test_sigpipe_is_harmless(self):
        node = self.node().await_http()
        node.signal(signal.SIGPIPE)
        swimtest.hold(node.is_running, 0.3, "SIGPIPE does not end it")
        self.assertEqual(node.http("/healthz")[0], 200)

    def reader_of_log(self, close):
        """A node whose log goes to a pipe; the reader is gone, or there but never reads."""
        node = self.node("--log-level", "debug", start=False)
        read_end, write_end = os.pipe()
        node.process = swimtest.spawn(node.command(), stdin=subprocess.DEVNULL, stdout=write_end,
                                      stderr=write_end)
        node.started = time.monotonic()
        os.close(write_end)
        node.await_http()
        if close:
            os.close(read_end)
        else:
            self.addCleanup(os.close, read_end)
        return node

    def test_reader_of_the_log_goes_away(self):
        node = self.reader_of_log(close=True)
        peer = self.node(peers=[node])
        self.await_all_alive([node, peer], 2)
        peer.kill()
        self.await_status([node], peer.addr, "dead", 12)
        node.terminate()

    def test_reader_of_the_log_stops_reading(self):
        node = self.reader_of_log(close=False)
        peer = self.node(peers=[node])
        self.await_all_alive([node, peer], 2)
        for _ in range(30):
            # Enough lines to fill a pipe, if each reload says something.
            node.signal(signal.SIGHUP)
            self.assertEqual(node.http("/healthz")[0], 200)
        node.terminate()

    def test_closed_standard_streams(self):
        node = self.node(start=False)
        node.process = swimtest.spawn(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
                                       *node.command()])
        node.started = time.monotonic()
        node.await_http()
        peer = self.node(peers=[node])
        # Were a socket to sit on descriptor 2, log lines would go into the cluster.
        self.await_all_alive([node, peer], 2)
        self.assertEqual(peer.metrics().get("swim_members_alive"), 2)
        node.terminate()


if __name__ == "__main__":
    swimtest.main()
