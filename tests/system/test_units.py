#!/usr/bin/env python3
"""The systemd units: what systemd says of them, and that swimd lives within what they allow.

No systemd runs where the tests do. So a whole life of swimd's (start, names, keys, control, reload,
leave) is traced, and every system call, address family, file written and mapping is held against
the unit's own lines; and it is lived again with the unit's system calls alone, in the kernel's
hands. Groups of calls are expanded by systemd-analyze.
"""

import contextlib
import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
sys.dont_write_bytecode = True

import swimtest  # noqa: E402
from swimtest import load_tests, wait_until  # noqa: E402,F401
from test_notify import Manager  # noqa: E402

ROOT = os.path.dirname(TESTS)
BUILD = os.environ["BUILD"]
EXPOSURE_MAX = 2.0
# Files that are for everybody, also in the sandbox.
PSEUDO_DEVICES = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}


def unit_text(name):
    with open(os.path.join(BUILD, "packaging", name), encoding="utf-8") as unit:
        return unit.read()


def settings(name):
    """{key: [value]} of a unit's lines."""
    found = {}
    for line in unit_text(name).splitlines():
        if re.match(r"[A-Za-z]+=", line):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def expand(word):
    """System calls of a group, or the call itself."""
    if not word.startswith("@"):
        return {word}
    done = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word],
                          capture_output=True, text=True, check=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    return set().union(*(expand(line) for line in lines[1:] if line and not line.startswith("#")))


def allowed_calls(lines):
    """As systemd reads SystemCallFilter=: the first line allows, those with ~ take away."""
    allowed = expand("@default")
    for line in lines:
        words = line.lstrip("~").split()
        calls = set().union(*(expand(word) for word in words))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


class ControlConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def command(path, method, route, body=None):
    connection = ControlConnection(path)
    try:
        connection.request(method, route, body=None if body is None else json.dumps(body),
                           headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Units(swimtest.SwimTestCase):
    def instances(self):
        """The two units under their names, with a swimd that is there."""
        paths = []
        bindir = os.path.dirname(settings("swimd.service")["ExecStart"][0].split()[0])
        for name, instance in (("swimd.service",) * 2, ("swimd@.service", "swimd@one.service")):
            text = unit_text(name).replace(bindir + "/swimd", swimtest.SWIMD)
            paths.append(self.file(instance, text))
        return paths

    def test_exposure(self):
        for path in self.instances():
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                                   f"--threshold={EXPOSURE_MAX * 10:.0f}", path],
                                  capture_output=True, text=True, check=False)
            level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
            self.assertIsNotNone(level, done.stdout + done.stderr)
            self.assertLessEqual(float(level.group(1)), EXPOSURE_MAX, done.stdout)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_verify(self):
        for path in self.instances():
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", path],
                                  capture_output=True, text=True, check=False)
            # Unknown settings are warnings, with exit code 0.
            self.assertEqual(done.stdout + done.stderr, "")
            self.assertEqual(done.returncode, 0)

    def test_units_differ_only_in_their_names(self):
        one, many = settings("swimd.service"), settings("swimd@.service")
        self.assertEqual(set(one), set(many))
        named = {"Description", "ExecStart", "ExecReload", "RuntimeDirectory", "StateDirectory"}
        self.assertEqual({key for key in one if one[key] != many[key]}, named)
        # systemd removes a runtime folder when its unit stops: none may lie in another's.
        self.assertEqual(one["RuntimeDirectory"], ["swim"])
        self.assertEqual(many["RuntimeDirectory"], ["swim-%i"])

    @unittest.skipUnless(os.geteuid() == 0, "users and folders are made by root")
    def test_users_and_folders(self):
        root = os.path.join(self.directory, "root")
        os.makedirs(os.path.join(root, "etc"))
        packaging = os.path.join(ROOT, "packaging")
        for tool, options, snippet in (("systemd-sysusers", [], "swim.sysusers"),
                                       ("systemd-tmpfiles", ["--create"], "swim.tmpfiles")):
            done = subprocess.run([tool, f"--root={root}", *options,
                                   os.path.join(packaging, snippet)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(root, "etc/passwd"), encoding="utf-8") as passwd:
            (user,) = [line.split(":") for line in passwd if line.startswith("swim:")]
        self.assertEqual(user[5], "/var/lib/swim")
        self.assertIn("nologin", user[6])
        for folder, mode, owner in (("etc/swim", 0o755, 0), ("var/lib/swim", 0o700, int(user[2])),
                                    ("run/swim", 0o700, int(user[2]))):
            status = os.stat(os.path.join(root, folder))
            self.assertEqual((status.st_mode & 0o7777, status.st_uid), (mode, owner), folder)

    def test_settings_that_are_installed(self):
        done = swimtest.run("--check-config", "--config",
                            os.path.join(ROOT, "packaging", "swim.toml"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Sandbox(swimtest.SwimTestCase):
    """A life of swimd's within what the unit allows."""

    def launch(self, command, env):
        """Starts swimd by a command that becomes it, so that the process is swimd's own."""
        with open(os.path.join(self.directory, "swimd.log"), "ab") as out:
            return swimtest.spawn(command, env=env, stdout=out, stderr=out)

    def life(self, start):
        """A member's life, and a check of its settings. `start(arguments, env)` runs swimd. Returns
        the folders that are swimd's to write."""
        run, state = (os.path.join(self.directory, name) for name in ("run", "state"))
        os.mkdir(run, 0o700)
        os.mkdir(state, 0o700)
        key, other = (swimtest.run("--generate-key").stdout for _ in range(2))
        key_file = self.file("state/key", key)
        os.chmod(key_file, 0o600)
        peer = self.node("--cluster-key-file", key_file)
        port, metrics_port = swimtest.free_port(), swimtest.free_port()
        config = self.file("swim.toml", f"""
            [network]
            bind = "0.0.0.0:{port}"
            peers = ["localhost:{peer.port}"]
            [security]
            key_file = "{key_file}"
            [metrics]
            server_port = {metrics_port}
            log_interval_ms = 100
            [events]
            exec = ["/bin/sh", "-c", "env > {state}/variables; cat > {state}/events"]
            """)
        manager = Manager(self)
        env = manager.environment(RUNTIME_DIRECTORY=run, STATE_DIRECTORY=state)
        process = start(["--config", config], env)
        manager.await_("READY", seconds=10)
        wait_until(lambda: (manager.said("STATUS")[-1:] == ["2 alive, 0 suspect"],
                            manager.said("STATUS")), 20, "it has met its peer")
        control = os.path.join(run, "control.sock")
        status, answer = command(control, "POST", "/keys/install", {"key": other.strip()})
        self.assertEqual((status, answer.get("saved")), (200, True), answer)
        status, answer = command(control, "GET", "/info")
        self.assertEqual(status, 200, answer)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", metrics_port,
                                                          timeout=10)) as connection:
            connection.request("GET", "/metrics")
            self.assertIn(b"swim_members_alive 2", connection.getresponse().read())
        wait_until(lambda: "joined" in open_text(os.path.join(state, "events")), 10,
                   "a program was given the event")
        variables = open_text(os.path.join(state, "variables"))
        self.assertRegex(variables, "(?m)^PATH=")
        self.assertNotRegex(variables, "(?m)^(NOTIFY_SOCKET|WATCHDOG_)")
        self.assertEqual(start(["--check-config", "--config", config], env).wait(20), 0)
        process.send_signal(signal.SIGHUP)
        manager.await_("READY", 2, seconds=10)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 0)
        log = open_text(os.path.join(self.directory, "swimd.log"))
        self.assertNotRegex(log, r"(?m)^\S+ error|not permitted|^swimd: ")
        return run, state

    def test_a_life_that_is_traced(self):
        """Held against the unit, line by line: what it calls, opens, writes, maps."""
        if not shutil.which("strace") or subprocess.run(
                ["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
            self.skipTest("processes can't be traced here")
        traces = []

        def start(arguments, env):
            traces.append(os.path.join(self.directory, f"trace-{len(traces)}"))
            # -D: strace keeps behind it.
            return self.launch(["strace", "-D", "-f", "-q", "-s", "256", "-o", traces[-1], "--",
                                swimtest.SWIMD, *arguments], env)

        writable = self.life(start)
        lines = []
        for path in traces:
            wait_until(lambda path=path: "+++ exited with 0 +++" in open_text(path), 10,
                       "the trace is whole")
            lines += open_text(path).splitlines()
        unit = settings("swimd.service")
        calls = set(re.findall(r"^\d+ +(\w+)\(", "\n".join(lines), re.M))
        self.assertGreater(len(calls), 30, "the trace is of a life")
        self.assertEqual(calls - allowed_calls(unit["SystemCallFilter"]), set(),
                         "system calls that the unit forbids")
        families = set(re.findall(r"\bsocket\((AF_\w+|PF_\w+)", "\n".join(lines)))
        self.assertLessEqual({"AF_INET", "AF_UNIX", "AF_NETLINK"}, families)
        self.assertEqual(families - set(unit["RestrictAddressFamilies"][0].split()), set())
        for line in lines:
            with self.subTest(line):
                self.check_line(line, writable)

    def test_a_life_that_is_confined(self):
        """The kernel itself refuses what the unit forbids."""
        try:
            ctypes.CDLL("libseccomp.so.2")
        except OSError:
            self.skipTest("there is no libseccomp")
        allowed = allowed_calls(settings("swimd.service")["SystemCallFilter"])
        confine = [sys.executable, os.path.join(TESTS, "system", "confine.py"),
                   ",".join(sorted(allowed))]
        self.life(lambda arguments, env: self.launch(
            [*confine, swimtest.SWIMD, *arguments], env))
        # And that it does refuse.
        done = subprocess.run([*confine, "/bin/chown", "0", self.file("x", "")],
                              capture_output=True, text=True, check=False)
        self.assertIn("Operation not permitted", done.stderr)

    def check_line(self, line, writable):
        if re.search(r"\b(mmap|mprotect)\(", line):
            self.assertFalse("PROT_WRITE" in line and "PROT_EXEC" in line,
                             "MemoryDenyWriteExecute")
        path = re.search(r'\bopenat?\([^"]*"([^"]*)", (\S*)', line)
        if path and path.group(1).startswith("/proc/"):
            self.assertRegex(path.group(1), r"^/proc/(self|\d+)/", "ProcSubset=pid")
        if path and path.group(1).startswith("/dev/"):
            self.assertIn(path.group(1), PSEUDO_DEVICES, "PrivateDevices")
        writes = path and re.search(r"O_(WRONLY|RDWR|CREAT)", path.group(2))
        changed = re.search(r'\b(?:rename\w*|unlink\w*|mkdir\w*|chmod|fchmodat|bind)\([^"]*"([^"]*)"',
                            line)
        for name in filter(None, (writes and path.group(1), changed and changed.group(1))):
            is_ours = any((name + "/").startswith(folder + "/") for folder in writable)
            self.assertTrue(is_ours or name in PSEUDO_DEVICES or not name.startswith("/"),
                            "ProtectSystem=strict")


def open_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    unittest.main()
