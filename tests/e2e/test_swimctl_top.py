#!/usr/bin/env python3
"""swimctl top on a real terminal: tmux draws the screen, a pty shows what becomes of its settings."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest

import swimctltest
import swimtest
from swimctltest import FAILURE, SWIMCTL, UNREACHABLE
from swimtest import load_tests  # noqa: F401

TMUX = shutil.which("tmux")
QUICK = """[probes]
interval_ms = 200
timeout_ms = 100
suspect_timeout_ms = 300
suspect_timeout_min_ms = 300
suspect_jitter_ms = 0
dead_retention_ms = 60000
"""


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Terminal:
    """A tmux of its own, with one window in which swimctl top runs."""

    count = 0

    def __init__(self, test, node, columns, lines, env=""):
        Terminal.count += 1
        self.socket = os.path.join(test.directory, f"tmux{Terminal.count}.sock")
        self.run("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
                 f"env {env} LC_ALL=C.UTF-8 {SWIMCTL} --socket {node.control} top; "
                 "echo ended with $?; sleep 1000")
        self.shell = self.run("display-message", "-p", "#{pane_pid}").strip()
        test.addCleanup(self.take_away)

    def take_away(self):
        """What runs in there ends with it."""
        try:
            with open(f"/proc/{self.shell}/task/{self.shell}/children", encoding="ascii") as file:
                left = [int(pid) for pid in file.read().split()]
        except OSError:
            left = []
        self.run("kill-server")
        swimtest.wait_until(lambda: (not any(map(runs, left)), left), 10,
                            "swimctl top ends with its terminal")

    def run(self, *arguments):
        done = subprocess.run([TMUX, "-S", self.socket, *arguments], capture_output=True,
                              text=True, timeout=20, check=False, env=swimctltest.environment())
        return done.stdout

    def screen(self, *options):
        return self.run("capture-pane", "-p", *options).rstrip("\n").split("\n")

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def resize(self, columns, lines):
        self.run("resize-window", "-x", str(columns), "-y", str(lines))

    def await_screen(self, probe, what, seconds=10):
        def look():
            lines = self.screen()
            return probe(lines), "\n".join(lines)
        swimtest.wait_until(look, seconds, what, interval=0.05)
        return self.screen()


def line(lines, number):
    """A line of a screen that may not be drawn yet."""
    return lines[number] if number < len(lines) else ""


def has(*fragments):
    """Some line of the screen has all of these."""
    return lambda lines: any(all(f in line for f in fragments) for line in lines)


@unittest.skipUnless(TMUX, "needs tmux")
class Screen(swimctltest.CtlCase):
    side_by_side = True

    def test_members_events_and_quitting(self):
        config = self.file("swim.toml", QUICK)
        one = self.controlled("--config", config)
        two = self.node("--config", config, peers=[one])
        self.await_all_alive([one, two], 10)
        terminal = Terminal(self, one, 80, 24)
        lines = terminal.await_screen(has(two.addr, "alive", "s "), "both members, with a round trip")
        self.assertRegex(lines[0], rf"^swim .*{re.escape(one.addr)} .*\d\d:\d\d:\d\d$")
        self.assertRegex(lines[1], r"^ready  up \d+s  incarnation 0  local health 0 of 8 \(good\)$")
        self.assertRegex(lines[2], r"^members  2 alive  0 suspect  0 dead  0 left  view [0-9a-f]{8}$")
        self.assertRegex(lines[3], r"^in [\d.]+ k?B/s \d+/s  out [\d.]+ k?B/s \d+/s  probes [\d.]+/s, "
                                   r"\d+ failed  queue \d+$")
        self.assertRegex(lines[4], r"^NAME +ADDRESS +STATUS +RTT +SINCE$")
        self.assertTrue(all(len(line) <= 80 for line in lines))
        terminal.await_screen(has("joined", two.addr), "the event of the past")
        terminal.await_screen(lambda now: float(re.search(r"probes ([\d.]+)", now[3])[1]) > 1,
                              "probes are counted")
        two.kill()
        terminal.await_screen(has("failed", two.addr), "the event")
        terminal.await_screen(lambda now: any(
            line.startswith(two.name) and two.addr in line and "dead" in line for line in now), "the row")
        terminal.keys("q")
        terminal.await_screen(has("ended with 0"), "it ends")

    def test_sizes(self):
        one = self.controlled()
        terminal = Terminal(self, one, 80, 24)
        terminal.await_screen(has(one.addr, "self"), "the member")
        terminal.resize(130, 40)
        terminal.await_screen(lambda lines: line(lines, 4).rstrip().endswith("ID") and
                              len(lines) == 40, "wide: with ids")
        terminal.await_screen(has(one.addr, one.self_id(), "alive"), "the id")
        for columns, height in ((40, 10), (10, 3), (2, 2), (80, 24)):
            terminal.resize(columns, height)
            terminal.await_screen(lambda lines, most=columns: all(
                len(line) <= most for line in lines), "nothing beyond")
        terminal.await_screen(has(one.addr, "self"), "as before")
        terminal.keys("q")
        terminal.await_screen(has("ended with 0"), "it ends")

    def test_daemon_that_restarts(self):
        one = self.controlled()
        terminal = Terminal(self, one, 80, 24)
        terminal.await_screen(has(one.addr, "self"), "the member")
        one.kill()
        terminal.await_screen(has("doesn't answer"), "it says so")
        terminal.await_screen(has(one.addr, "self"), "what was known stays")
        one.start()
        terminal.await_screen(lambda lines: line(lines, 1).startswith("ready  up"), "it goes on")
        terminal.await_screen(has("missed", "restarted"), "what is missed is said")
        terminal.keys("C-c")
        terminal.await_screen(has("ended with 0"), "it ends")

    def test_scrolls_and_sorts(self):
        config = self.file("swim.toml", QUICK)
        one = self.controlled("--config", config)
        others = [self.node("--config", config, peers=[one]) for _ in range(12)]
        self.await_all_alive([one, *others], 20)
        terminal = Terminal(self, one, 80, 16)
        terminal.await_screen(has("of 13"), "all are counted")
        terminal.await_screen(lambda lines: "1-" in lines[-1], "from the first on")
        terminal.keys("j")
        terminal.await_screen(lambda lines: "  2-" in lines[-1], "one further")
        terminal.keys("End")
        terminal.await_screen(lambda lines: "-13 of 13" in lines[-1], "the end")
        terminal.keys("g")
        terminal.await_screen(lambda lines: "  1-" in lines[-1], "the beginning")
        others[5].kill()
        terminal.keys("s")
        terminal.await_screen(has("sort: status"), "by status")
        terminal.await_screen(lambda lines: others[5].addr in line(lines, 5), "the worst on top")

    def test_colours(self):
        one = self.controlled()
        terminal = Terminal(self, one, 80, 24)
        terminal.await_screen(has(one.addr, "self"), "the member")
        self.assertIn("\x1b[32m", "\n".join(terminal.screen("-e")))
        terminal.run("kill-server")
        plain = Terminal(self, one, 80, 24, env="NO_COLOR=1")
        plain.await_screen(has(one.addr, "self"), "the member")
        self.assertIsNone(re.search(r"\x1b\[3[0-7]m", "\n".join(plain.screen("-e"))))


class Pty(swimctltest.CtlCase):
    side_by_side = True

    def start(self, node, **changes):
        """swimctl top on a pty of its own; returns (process, master)."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        env = swimctltest.environment(**{"TERM": "xterm", **changes})
        process = swimtest.spawn([SWIMCTL, "--socket", node.control, "top"], stdin=slave,
                                 stdout=slave, stderr=slave, env=env, start_new_session=True)
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        return process, master, slave

    @staticmethod
    def read_until(master, fragment, seconds=10):
        data = b""
        deadline = time.monotonic() + seconds * swimtest.FACTOR
        while fragment not in data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([master], [], [], left)[0]:
                raise AssertionError(f"no {fragment!r} in {data[-2000:]!r}")
            data += os.read(master, 65536)
        return data

    def test_signals_give_the_terminal_back(self):
        node = self.controlled()
        for number, wanted in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP),
                               (signal.SIGINT, 0), (signal.SIGQUIT, -signal.SIGQUIT)):
            with self.subTest(number.name):
                process, master, slave = self.start(node)
                self.read_until(master, b"q quit")
                self.assertNotEqual(termios.tcgetattr(slave), self.before)
                process.send_signal(number)
                self.read_until(master, b"\x1b[?1049l")
                self.assertEqual(process.wait(10), wanted)
                self.assertEqual(termios.tcgetattr(slave), self.before)

    def test_ends_with_its_terminal(self):
        """Without SIGHUP: the terminal is not the one that controls the process."""
        node = self.controlled()
        for moment, codes in ((b"", (-signal.SIGHUP, FAILURE)), (b"EVENTS", (-signal.SIGHUP,)),
                              (b"q quit", (-signal.SIGHUP,))):
            with self.subTest(moment):
                process, *ends = self.start(node)
                self.read_until(ends[0], moment)
                with open(os.devnull, "r+b") as null:
                    for end in ends:
                        os.dup2(null.fileno(), end)
                self.assertIn(process.wait(10 * swimtest.FACTOR), codes)

    def test_not_a_terminal(self):
        node = self.controlled()
        self.assertIn("terminal", self.ctl(node, "top", code=FAILURE))
        self.ctl("/nowhere", "top", code=UNREACHABLE)
        # ncurses keeps what it had allocated for a terminal that it then doesn't know.
        process, master, _ = self.start(node, TERM="no-such-terminal",
                                        ASAN_OPTIONS="detect_leaks=0")
        self.read_until(master, b"TERM")
        self.assertEqual(process.wait(10), FAILURE)
        shown = self.ctl_json(node, "top")
        self.assertEqual(sorted(shown), ["info", "members", "metrics"])
        self.assertEqual(shown["members"][0]["id"], shown["info"]["id"])


if __name__ == "__main__":
    swimtest.main()
