#!/usr/bin/env python3
"""tools/cluster.sh, what `make cluster` runs: starting, watching, stopping, and ports taken."""

import os
import re
import signal
import socket
import subprocess
import time

import swimtest
from swimctltest import swimctl
from swimtest import load_tests  # noqa: F401

SCRIPT = os.path.join(swimtest.ROOT, "tools", "cluster.sh")


def is_alive(pid):
    """Does the process exist, and is it more than a zombie that somebody else must reap?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Script:
    """One tools/cluster.sh with ports of its own, in a session of its own."""

    def __init__(self, test, *arguments, count=3):
        self.port = swimtest.free_ports(count)
        self.metrics_port = swimtest.free_ports(count)
        self.count = count
        self.path = os.path.join(test.directory, "cluster.out")
        self.arguments = arguments
        self.directory = test.directory
        self.process = None
        test.addCleanup(self.close)

    def start(self, swimd=swimtest.SWIMD):
        env = dict(os.environ, SWIMD=swimd, PORT=str(self.port), TMPDIR=self.directory,
                   METRICS_PORT=str(self.metrics_port))
        with open(self.path, "wb") as out:
            self.process = swimtest.spawn([SCRIPT, *self.arguments], stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT, env=env,
                                          start_new_session=True)
        return self

    def close(self):
        """Ends the script and, should it not have done so, its nodes."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.nodes_by_command():
            os.kill(pid, signal.SIGKILL)

    def nodes_by_command(self):
        """Process ids of everything that was started with one of our ports."""
        own = {f"127.0.0.1:{self.port + i}".encode() for i in range(self.count)}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as cmdline:
                    words = cmdline.read().split(b"\0")
            except OSError:
                continue
            if b"--bind" in words and own & {words[words.index(b"--bind") + 1]}:
                yield int(name)

    def output(self):
        with open(self.path, encoding="utf-8", errors="replace") as out:
            return out.read()

    def pids(self):
        """Process ids of the nodes that still run, as announced by the script."""
        announced = re.findall(r"node\d+\s+pid (\d+)", self.output())
        return [int(pid) for pid in announced if is_alive(int(pid))]

    def await_running(self, seconds=10):
        def probe():
            if self.process.poll() is not None:
                raise AssertionError(f"ended: {self.process.returncode}\n{self.output()}")
            return len(self.pids()) == self.count, self.output()
        swimtest.wait_until(probe, seconds, "the script says that all nodes run")

    def wait(self, seconds=10):
        return self.process.wait(seconds * swimtest.FACTOR)

    def watchers(self, test):
        """Nodes to look at, without starting any."""
        nodes = [swimtest.Node(test, port=self.port + i, metrics_port=self.metrics_port + i,
                               start=False) for i in range(self.count)]
        now = time.monotonic()
        for node in nodes:
            node.started = now
        return nodes


class ClusterScript(swimtest.SwimTestCase):
    side_by_side = True

    def stop_with(self, number):
        script = Script(self).start()
        script.await_running()
        nodes = script.watchers(self)
        self.await_all_alive(nodes, 1)
        output = script.output()
        for i in range(3):
            self.assertIn(f"http://127.0.0.1:{script.metrics_port + i}/membership", output)
            self.assertRegex(output, rf"(?m)^node{i + 1} \| ")
        self.assertNotIn("\033", output, "colours only on a terminal")
        pids = script.pids()
        self.assertEqual(len(pids), 3)
        # As the terminal does on Ctrl-C: everybody in the foreground group is told.
        os.killpg(script.process.pid, number)
        self.assertEqual(script.wait(), 0, script.output())
        self.assertEqual([pid for pid in pids if is_alive(pid)], [])
        for i in range(3):
            self.assertIn(f"cluster: node{i + 1}: exit code 0", script.output())
            # What they say last is still shown.
            self.assertRegex(script.output(), rf"(?m)^node{i + 1} \| .*leaving the cluster")
        self.assert_session_is_empty(script)

    def assert_session_is_empty(self, script):
        left = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(name)) == script.process.pid and is_alive(int(name)):
                    left.append(int(name))
            except ProcessLookupError:
                pass
        self.assertEqual(left, [], "processes left behind")

    def test_ctrl_c(self):
        self.stop_with(signal.SIGINT)

    def test_sigterm(self):
        self.stop_with(signal.SIGTERM)

    def test_killed_node_does_not_stop_the_others(self):
        script = Script(self).start()
        script.await_running()
        first, second, third = script.watchers(self)
        self.await_all_alive([first, second, third], 1)
        pids = script.pids()
        os.kill(pids[2], signal.SIGKILL)
        self.await_status([first, second], third.addr, "dead", 12)
        self.assertIn("node3 has ended: killed by SIGKILL", script.output())
        script.process.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(), 0, script.output())
        self.assertIn("node3: killed by SIGKILL", script.output())
        self.assertEqual([pid for pid in pids if is_alive(pid)], [])

    def test_ends_when_every_node_has_left(self):
        script = Script(self, "2", count=2).start()
        script.await_running()
        for pid in script.pids():
            os.kill(pid, signal.SIGTERM)
        self.assertEqual(script.wait(), 0, script.output())
        self.assertIn("no node is left", script.output())

    def test_five_nodes(self):
        script = Script(self, "5", count=5).start()
        script.await_running()
        self.await_all_alive(script.watchers(self), 1)
        control = re.search(r"swimctl --socket (\S+/node1.sock) top", script.output()).group(1)
        self.assertEqual(swimctl("members", path=control).stdout.splitlines()[-1],
                         "5 members: 5 alive")
        script.process.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(), 0, script.output())
        self.assertFalse(os.path.exists(os.path.dirname(control)))

    def test_arguments_for_every_node(self):
        script = Script(self, "2", "--", "--log-format", "json", count=2).start()
        script.await_running()
        for i in range(2):
            self.assertRegex(script.output(), rf'(?m)^node{i + 1} \| \{{"time":')
        script.process.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(), 0, script.output())

    def test_killed_script_takes_its_nodes_along(self):
        script = Script(self).start()
        script.await_running()
        pids = script.pids()
        script.process.kill()
        swimtest.wait_until(lambda: (not script.pids(), pids), 5, "no node outlives the script")

    def port_taken(self, kind, which):
        script = Script(self)
        base = script.port if kind == "UDP" else script.metrics_port
        port = base + which
        taken = socket.socket(socket.AF_INET,
                              socket.SOCK_DGRAM if kind == "UDP" else socket.SOCK_STREAM)
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", port))
        if kind == "TCP":
            taken.listen()
        script.start()
        self.assertEqual(script.wait(), 4, script.output())
        output = script.output()
        self.assertIn(f"{kind} port {port} is taken", output)
        self.assertIn("METRICS_PORT=", output)
        self.assertIn("PORT=", output)
        self.assertEqual(list(script.nodes_by_command()), [])
        self.assert_session_is_empty(script)

    def test_udp_port_taken(self):
        self.port_taken("UDP", 1)

    def test_tcp_port_taken(self):
        self.port_taken("TCP", 2)

    def test_a_node_that_cannot_start(self):
        # Somebody takes a port between the look at it and the start: the others are stopped.
        script = Script(self)
        wrapper = self.file("swimd", f"""#!/bin/sh
case "$*" in *127.0.0.1:{script.port + 1}\ *) echo "cannot bind" >&2; exit 4 ;; esac
exec '{swimtest.SWIMD}' "$@"
""")
        os.chmod(wrapper, 0o755)
        script.start(wrapper)
        self.assertEqual(script.wait(), 4, script.output())
        self.assertIn("node2 | cannot bind", script.output())
        self.assertIn("METRICS_PORT=", script.output())
        self.assertEqual(list(script.nodes_by_command()), [])

    def test_help(self):
        env = {name: value for name, value in os.environ.items() if name != "N"}
        for words, code in ((["--help"], 0), (["3", "4"], 2)):
            with self.subTest(words):
                done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=10,
                                      check=False, env=dict(env, SWIMD=swimtest.SWIMD))
                self.assertEqual(done.returncode, code, done.stderr)
                said = done.stdout if code == 0 else done.stderr
                self.assertIn("usage: tools/cluster.sh [N]", said)
                self.assertIn("default $N or 3", said)

    def test_bad_counts(self):
        for bad in ("0", "-1", "three", "101", "99999999999999999999", "3 4"):
            with self.subTest(bad):
                done = subprocess.run([SCRIPT, bad], capture_output=True, text=True, timeout=10,
                                      check=False, env=dict(os.environ, SWIMD=swimtest.SWIMD))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("usage:", done.stderr)
                self.assertIn("1 to 100", done.stderr)
                self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    swimtest.main()
