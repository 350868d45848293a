#!/usr/bin/env python3
"""[events] exec: what the program is given, what it is not, and what becomes of one that takes too
long, crashes, shouts, or does not read."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import swimtest
from swimtest import load_tests  # noqa: F401

# Writes down what it finds, then does what its second argument says.
PROGRAM = f"""#!{sys.executable}
import json, os, signal, sys, time
began = time.time()
folder, act = sys.argv[1], sys.argv[2]
fds = {{fd: os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")
       if os.path.exists("/proc/self/fd/" + fd)}}
with open("/proc/self/status") as file:
    status = dict(line.split(":", 1) for line in file)
found = {{"argv": sys.argv, "env": dict(os.environ), "fds": fds, "pid": os.getpid(),
         "group": os.getpgrp(), "began": began,
         "signals": [status[key].strip() for key in ("SigBlk", "SigIgn")]}}
if act != "deaf":
    found["input"] = json.loads(sys.stdin.read())
if act == "orphan":
    found["child"] = os.fork()
    if found["child"] == 0:
        time.sleep(600)
if act == "shout":
    for _ in range(400):
        os.write(1, b"x" * 65536)
        os.write(2, b"y" * 65536)
if act == "slow":
    time.sleep(0.4)
found["ended"] = time.time()
name = os.path.join(folder, "%020d" % time.time_ns())
with open(name + ".new", "w") as file:
    json.dump(found, file)
os.rename(name + ".new", name + ".json")
if act == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
sys.exit(3 if act == "fail" else 0)
"""

# Ignores SIGTERM, and so does what it starts. A shell, since it has to be up before its time is over.
STUBBORN = """#!/bin/sh
trap '' TERM
cat > "$1/$$.input"
sleep 600 &
echo "$$ $!" > "$1/$$.new" && mv "$1/$$.new" "$1/$$.pids"
wait
"""


class Exec(swimtest.SwimTestCase):
    side_by_side = True

    def program(self):
        path = self.file(f"handler{len(self.nodes)}.py", PROGRAM)
        os.chmod(path, 0o755)
        return path

    def handled(self, act, *arguments, settings="", program=None, **options):
        """A node with that program; returns the node, and where the program writes."""
        folder = os.path.join(self.directory, f"runs{len(self.nodes)}")
        os.mkdir(folder)
        words = json.dumps([program or self.program(), folder, act])
        config = self.file(f"exec{len(self.nodes)}.toml", f"[events]\nexec = {words}\n{settings}")
        node = self.node("--config", config, *arguments, **options)
        return node if node.process is None else node.await_http(), folder

    @staticmethod
    def runs(folder):
        found = []
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".json")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found.append(json.load(file))
        return found

    @staticmethod
    def end_groups(folder):
        """Of programs that were left running: those that write into this folder."""
        for pid in (name.split(".")[0] for name in os.listdir(folder)):
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                    if folder in file.read().split("\0"):
                        os.killpg(int(pid), signal.SIGKILL)
            except OSError:
                pass

    def events(self, folder):
        return [event for run in self.runs(folder) for event in run["input"]["events"]]

    @staticmethod
    def results(node):
        return {key: node.metrics()[f'swim_event_handler_runs_total{{result="{key}"}}']
                for key in ("ok", "failed", "timeout", "not_started")}

    def await_result(self, node, result, count=1, seconds=20):
        swimtest.wait_until(lambda: (self.results(node)[result] >= count, self.results(node)),
                            seconds, f"{count} runs ended with {result}")

    def test_what_it_is_given(self):
        secret = self.file("secret", "the key to everything")
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        path = os.path.join(self.directory, "control.sock")
        key = self.file("key", "0123456789abcdef" * 4)
        os.chmod(key, 0o600)
        os.environ["SWIM_TEST_SECRET"] = "no business of the program's"
        self.addCleanup(os.environ.pop, "SWIM_TEST_SECRET")
        node, folder = self.handled("look", "--control-socket", path, "--cluster-key-file", key,
                                    start=True)
        # Once more, with descriptors that it was born with.
        node.kill()
        with open(secret, "rb") as held:
            with open(node.log_path, "ab") as log:
                node.process = swimtest.spawn(node.command(), stdout=log, stderr=log,
                                              pass_fds=(held.fileno(), read, write))
        node.await_http()
        second = self.node("--cluster-key-file", key, peers=[node])
        swimtest.wait_until(lambda: self.runs(folder), 20, "it has run")
        run = self.runs(folder)[0]
        self.assertEqual(set(run["fds"]), {"0", "1", "2"} | {
            fd for fd, to in run["fds"].items() if to.startswith("/proc/")}, run["fds"])
        self.assertIn("swim-events", run["fds"]["0"])
        self.assertEqual((run["fds"]["1"], run["fds"]["2"]), ("/dev/null", "/dev/null"))
        self.assertLessEqual(set(run["env"]), {"PATH", "LC_ALL", "LC_CTYPE", "SWIM_EVENTS",
                                               "SWIM_ID", "SWIM_ADDR", "SWIM_NAME"})
        self.assertEqual(run["env"]["SWIM_ADDR"], node.addr)
        self.assertEqual(run["env"]["SWIM_ID"], node.self_id())
        self.assertEqual(run["group"], run["pid"], "a group of its own")
        ignored = {signal.SIGPIPE, signal.SIGXFSZ, 32, 33}  # by Python itself; libc's own
        blocked, mask = (int(text, 16) for text in run["signals"])
        self.assertEqual(blocked, 0)
        self.assertEqual(mask & ~sum(1 << (number - 1) for number in ignored), 0)
        told = run["input"]
        self.assertEqual(list(told), ["self", "missed", "events"])
        self.assertEqual((told["self"]["addr"], told["self"]["self"]), (node.addr, True))
        self.assertEqual(told["missed"], 0)
        self.assertEqual(run["env"]["SWIM_EVENTS"], str(len(told["events"])))
        self.assertEqual((told["events"][0]["kind"], told["events"][0]["member"]["addr"]),
                         ("joined", second.addr))
        self.await_result(node, "ok")

    def test_one_at_a_time_and_each_event_once(self):
        node, folder = self.handled("slow", settings="exec_batch_ms = 10\n")
        for _ in range(5):
            other = self.node(peers=[node]).await_http()
            self.await_status([node], other.addr, "alive", 3)
            other.terminate()
            self.await_status([node], other.addr, "left", 3)
        swimtest.wait_until(lambda: len(self.events(folder)) >= 10, 20, "all are handed over")
        runs = self.runs(folder)
        for before, after in zip(runs, runs[1:]):
            self.assertLessEqual(before["ended"], after["began"], "one after the other")
        numbers = [int(event["id"].rsplit("-", 1)[1]) for event in self.events(folder)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertLess(len(runs), len(numbers), "what came meanwhile came together")
        self.assertEqual({run["input"]["missed"] for run in runs}, {0})

    def test_takes_too_long(self):
        program = self.file("stubborn.sh", STUBBORN)
        os.chmod(program, 0o755)
        node, folder = self.handled("", settings="exec_timeout_ms = 3000\n", program=program)
        self.addCleanup(self.end_groups, folder)

        def running():
            found = []
            for name in os.listdir(folder):
                if name.endswith(".pids"):
                    with open(os.path.join(folder, name), encoding="ascii") as file:
                        found.append(file.read().split())
            return found
        other = self.node(peers=[node])
        swimtest.wait_until(running, 20, "it runs")
        first = running()[0]
        self.await_result(node, "timeout")
        for pid in first:
            swimtest.wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), 5,
                                "it is gone, and what it left running")
        self.assertTrue(node.lines("takes too long", "timeout_ms=3000"))
        other.terminate()
        swimtest.wait_until(lambda: len(running()) > 1, 20, "the next one runs")
        self.assertEqual(node.metrics()["swim_event_handler_running"], 1)
        node.terminate()

    def test_what_it_leaves_running_ends_with_it(self):
        node, folder = self.handled("orphan")
        self.node(peers=[node])
        self.await_result(node, "ok")
        child = self.runs(folder)[0]["child"]
        swimtest.wait_until(lambda: not os.path.exists(f"/proc/{child}"), 5, "it is gone")

    def test_crashes_and_fails(self):
        for act, said in (("crash", "signal=11"), ("fail", "exit_code=3")):
            with self.subTest(act):
                node, folder = self.handled(act)
                other = self.node(peers=[node])
                self.await_result(node, "failed")
                self.assertTrue(node.lines("the program for events", said))
                other.terminate()
                swimtest.wait_until(lambda at=folder: self.events(at)[-1]["kind"] == "left", 20,
                                    "the next one runs")
                swimtest.wait_until(
                    lambda n=node: n.metrics()["swim_event_handler_running"] == 0, 5, "it ends")
                self.assertEqual(self.results(node)["ok"], 0)

    def test_signals_blocked_by_whoever_started_it(self):
        """A mask is inherited, over fork and exec: the ends of runs, and SIGTERM, are heard yet."""
        block = ("import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, "
                 "signal.valid_signals()); os.execv(sys.argv[1], sys.argv[1:])")
        node, _ = self.handled("look", start=False)
        with open(node.log_path, "ab") as log:
            node.process = swimtest.spawn([sys.executable, "-c", block, *node.command()],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        node.started = time.monotonic()
        node.await_http()
        for count in (1, 2):
            peer = self.node(peers=[node])
            peer.await_http()  # one that is starting yet would die of SIGTERM
            self.await_result(node, "ok", count)
            peer.terminate()
        node.terminate()

    def test_shouts(self):
        node, folder = self.handled("shout")
        self.node(peers=[node])
        self.await_result(node, "ok")
        self.assertLess(os.path.getsize(node.log_path), 4096, "nobody hears it")
        self.assertEqual(len(self.runs(folder)), 1)

    def test_does_not_read(self):
        node, folder = self.handled("deaf")
        self.node(peers=[node])
        self.await_result(node, "ok")
        self.assertNotIn("input", self.runs(folder)[0])

    def test_cannot_be_started(self):
        program = self.file("broken", "#!/nowhere/interpreter\n")
        os.chmod(program, 0o755)
        node, folder = self.handled("look", program=program)
        other = self.node(peers=[node])
        self.await_result(node, "not_started")
        self.assertTrue(node.lines("can't be started", "errno=2"))
        self.file("broken", PROGRAM)
        other.terminate()
        self.await_result(node, "ok")
        told = self.runs(folder)[0]["input"]
        self.assertEqual([e["kind"] for e in told["events"]], ["left"])
        first = int(told["events"][0]["id"].rsplit("-", 1)[1])
        self.assertEqual(told["missed"], first - 1)
        self.assertGreater(first, 1)
        self.assertEqual(node.metrics()["swim_event_handler_missed_total"], first - 1)

    def test_reload(self):
        folder = os.path.join(self.directory, "runs")
        os.mkdir(folder)
        config = self.file("swim.toml", "[log]\nlevel = \"info\"\n")
        node = self.node("--config", config).await_http()
        first = self.node(peers=[node])
        swimtest.wait_until(lambda: (node.member(first.addr) or {}).get("tags"), 5, "it is known")
        words = json.dumps([self.program(), folder, "look"])
        self.file("swim.toml", f"[events]\nexec = {words}\n")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: node.lines("reloaded"), 3, "it has the program")
        first.terminate()
        swimtest.wait_until(lambda: self.runs(folder), 20, "it runs")
        self.assertEqual([e["kind"] for e in self.events(folder)], ["left"],
                         "what was before it is not told")
        self.file("swim.toml", "[events]\nexec = [\"/nowhere\"]\n")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: node.lines("not reloaded", "/nowhere"), 3, "a mistake is told")
        self.file("swim.toml", "[events]\nexec = []\n")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: len(node.lines("sighup: reloaded")) == 2, 3, "it is off")
        second = self.node(peers=[node])
        self.await_status([node], second.addr, "alive", 3)
        time.sleep(0.5)
        self.assertEqual(len(self.runs(folder)), 1)

    def test_mistakes(self):
        plain = self.file("plain", "#!/bin/sh\n")
        shared = self.file("shared", "#!/bin/sh\n")
        os.chmod(shared, stat.S_IRWXU | stat.S_IWOTH | stat.S_IXOTH)
        for value, said in (('["true"]', "whole path"), ('[""]', "whole path"),
                            ('"/bin/true"', "array of strings"), ("[1]", "array of strings"),
                            ('["/nowhere/x"]', "No such file"),
                            (f'["{self.directory}"]', "no file"), (f'["{plain}"]', "chmod +x"),
                            (f'["{shared}"]', "chmod o-w"),
                            (json.dumps(["/bin/true"] + ["x"] * 16), "more than 15"),
                            (json.dumps(["/bin/true", "x" * 256]), "longer than 255")):
            with self.subTest(value):
                config = self.file("wrong.toml", f"[events]\nexec = {value}\n")
                for check in (("--check-config",), ()):
                    done = swimtest.run("--config", config, *check)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertIn(said, done.stderr)
                    self.assertIn(f"{config}:2: [events] exec", done.stderr)
        config = self.file("right.toml", '[events]\nexec = ["/bin/true", "a"]\n')
        self.assertEqual(swimtest.run("--config", config, "--check-config").returncode, 0)

    def test_nothing_is_left_behind(self):
        node, folder = self.handled("look", settings="exec_batch_ms = 1\n")
        for round_number in range(6):
            self.node(peers=[node])
            swimtest.wait_until(lambda n=round_number: self.results(node)["ok"] > n, 20, "it ran")
        for round_number in range(6):
            self.nodes[round_number + 1].terminate()
            swimtest.wait_until(lambda n=round_number: self.results(node)["ok"] > 6 + n, 20,
                                "it ran")
        swimtest.wait_until(lambda: node.metrics()["swim_event_handler_running"] == 0, 5,
                            "none runs")
        with open(f"/proc/{node.pid}/task/{node.pid}/children", encoding="ascii") as file:
            self.assertEqual(file.read().strip(), "", "no zombies")
        self.assertEqual(len(self.runs(folder)), self.results(node)["ok"])
        # Without asking: connections are looked after once a second.
        swimtest.wait_until(lambda: (len(os.listdir(f"/proc/{node.pid}/fd")) < 24,
                                     os.listdir(f"/proc/{node.pid}/fd")), 5, "few descriptors")
        for fd in os.listdir(f"/proc/{node.pid}/fd"):
            self.assertNotIn("swim-events", os.readlink(f"/proc/{node.pid}/fd/{fd}"))


if __name__ == "__main__":
    swimtest.main()
