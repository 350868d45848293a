#!/usr/bin/env python3
"""swimctl against real daemons: every verb that asks once, in words and in JSON, and how it ends
when something is wrong."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import swimctltest
import swimtest
from swimctltest import CONFIG, FAILURE, SWIMCTL, TIMEOUT, UNREACHABLE, USAGE, swimctl
from swimtest import load_tests  # noqa: F401


class Asking(swimctltest.CtlCase):
    side_by_side = True

    def pair(self):
        one = self.controlled()
        two = self.controlled(peers=[one])
        self.await_all_alive([one, two], 10)
        return one, two

    def test_members(self):
        one, two = self.pair()
        members = self.ctl_json(one, "members")["members"]
        self.assertEqual(sorted(m["addr"] for m in members), sorted([one.addr, two.addr]))
        self.assertEqual({m["status"] for m in members}, {"alive"})
        self.assertEqual([m["addr"] for m in members if m["self"]], [one.addr])
        self.assertEqual({m["id"] for m in members}, {one.self_id(), two.self_id()})
        lines = self.ctl(one, "members").splitlines()
        self.assertRegex(lines[0], r"^NAME +ADDRESS +STATUS +RTT +INC +TAGS +ID$")
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[-1], "2 members: 2 alive")
        self.assertTrue(all(re.search(r" alive ", line) for line in lines[1:3]))

    def test_members_by_status(self):
        one, two = self.pair()
        two.terminate()
        self.await_status([one], two.addr, "left", 5)
        left = self.ctl_json(one, "members", "--status", "left")["members"]
        self.assertEqual([m["addr"] for m in left], [two.addr])
        self.assertEqual(len(self.ctl_json(one, "members", "--status=alive,left")["members"]), 2)
        self.assertEqual(self.ctl_json(one, "members", "--tag", "no=where")["members"], [])
        for wrong in ("x", "alive,", "ALIVE", ""):
            self.assertIn("--status", self.ctl(one, "members", "--status", wrong, code=USAGE))

    def test_info(self):
        node = self.controlled()
        info = self.ctl_json(node, "info")
        self.assertEqual((info["id"], info["addr"]), (node.self_id(), node.addr))
        self.assertEqual(info["members"], {"alive": 1, "suspect": 0, "dead": 0, "left": 0})
        self.assertEqual((info["bind"], info["http"]),
                         (node.addr, f"127.0.0.1:{node.metrics_port}"))
        self.assertEqual((info["pid"], info["ready"], info["leaving"]), (node.pid, True, False))
        self.assertIsNone(info["encryption"])
        text = self.ctl(node, "info")
        self.assertRegex(text, rf"(?m)^address +{re.escape(node.addr)}$")
        self.assertRegex(text, r"(?m)^members +1 alive, 0 suspect, 0 dead, 0 left$")

    def test_metrics(self):
        node = self.controlled()
        text = self.ctl(node, "metrics")
        names = set(swimtest.parse_metrics(text))
        self.assertEqual(names, set(node.metrics()))
        self.assertEqual(self.ctl_json(node, "metrics")["alive"], 1)
        bare = os.path.join(self.directory, "bare.sock")
        quiet = self.node("--control-socket", bare, metrics_port=0)
        swimtest.wait_until(lambda: swimctl("info", path=bare).returncode == 0, 5, "it answers")
        self.assertIn("swim_members_alive 1", self.ctl(bare, "metrics"))
        self.assertIsNone(self.ctl_json(bare, "info")["http"])
        self.assertTrue(quiet.is_running())

    def test_keygen_and_version_need_no_daemon(self):
        keys = [self.ctl("/nowhere", "keygen").strip() for _ in range(2)]
        keys.append(self.ctl_json("/nowhere", "keygen")["key"])
        self.assertEqual(len(set(keys)), 3)
        for key in keys:
            self.assertRegex(key, r"^[0-9a-f]{64}$")
        self.assertIsNone(self.ctl_json("/nowhere", "version")["swimd"])
        self.assertRegex(self.ctl(None, "--version"), r"^swimctl \d+\.\d+\.\d+\n$")
        versions = self.ctl_json(self.controlled(), "version")
        self.assertEqual(versions["swimctl"], versions["swimd"])

    def test_keys(self):
        folder = self.directory
        old, new = (self.ctl(None, "keygen") for _ in range(2))
        path = self.file("key", old)
        os.chmod(path, 0o600)
        node = self.controlled("--cluster-key-file", path)
        first = self.ctl_json(node, "keys", "list")["keys"]
        self.assertEqual(len(first), 1)
        after = self.ctl_json(node, "keys", "install", stdin=f"# a comment\n\n{new}")
        self.assertTrue(after["saved"])
        self.assertEqual(len(after["keys"]), 2)
        fresh = after["keys"][1]["id"]
        text = self.ctl(node, "keys", "use", fresh)
        self.assertRegex(text, rf"(?m)^{fresh} +primary$")
        self.assertEqual(self.ctl_json(node, "info")["encryption"]["primary"], fresh)
        self.assertIn("primary", self.ctl(node, "keys", "remove", fresh, code=FAILURE))
        self.assertEqual(self.ctl_json(node, "keys", "remove", first[0]["id"])["keys"],
                         [{"id": fresh, "primary": True}])
        again = os.path.join(folder, "again")
        with open(again, "w", encoding="ascii") as out:
            out.write(old)
        self.assertEqual(len(self.ctl_json(node, "keys", "install", "--key-file", again)["keys"]), 2)
        # What is wrong is said, and no key is in what is said.
        for arguments, code in ((["keys"], USAGE), (["keys", "frob"], USAGE),
                                (["keys", "use"], USAGE), (["keys", "use", "xyz"], USAGE),
                                (["keys", "use", "00000000"], FAILURE),
                                (["keys", "install", new.strip()], USAGE),
                                (["keys", "install", "--key-file", folder + "/none"], CONFIG),
                                (["keys", "install", "--key-file", folder], CONFIG),
                                (["keys", "list", "more"], USAGE)):
            said = self.ctl(node, *arguments, code=code)
            self.assertNotIn(new.strip(), said)
        self.assertIn("64 hex digits", self.ctl(node, "keys", "install", stdin="beef\n", code=CONFIG))
        self.assertNotIn(new.strip(), node.log())

    def test_help(self):
        text = self.ctl(None, "help")
        verbs = [v["verb"] for v in self.ctl_json(None, "help")["verbs"]]
        for verb in verbs:
            self.assertRegex(text, rf"(?m)^  {verb} ")
            self.assertIn(f"usage: swimctl [OPTION]... {verb}", self.ctl(None, "help", verb))
            self.assertEqual(self.ctl(None, "help", verb), self.ctl(None, verb, "--help"))
        self.assertEqual(text, self.ctl(None, "--help"))


class Failing(swimctltest.CtlCase):
    side_by_side = True

    def test_unreachable(self):
        gone = os.path.join(self.directory, "gone.sock")
        self.assertIn("there is no socket", self.ctl(gone, "info", code=UNREACHABLE))
        dead = os.path.join(self.directory, "dead.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(dead)
        self.assertIn("nobody listens", self.ctl(dead, "members", code=UNREACHABLE))
        said = self.ctl(self.directory, "members", code=UNREACHABLE)
        self.assertIn(f"{self.directory} is no socket", said)
        self.assertIn("1 to 107 bytes, not 201", self.ctl("/" + "x" * 200, "info", code=USAGE))
        said = self.ctl(gone, "info", "--json", code=UNREACHABLE)
        self.assertRegex(said, r'^\{"error":"no daemon: .*","code":5\}\n$')

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
    def test_not_permitted(self):
        node = self.controlled()
        os.chmod(self.directory, 0o755)
        done = subprocess.run([SWIMCTL, "--socket", node.control, "info"], capture_output=True,
                              text=True, user=65534, group=65534, extra_groups=[],
                              env=swimctltest.environment(), check=False)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertIn("not permitted", done.stderr)

    def test_timeout(self):
        silent = os.path.join(self.directory, "silent.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(silent)
            listener.listen(4)
            said = self.ctl(silent, "info", "--timeout", "0.2", code=TIMEOUT)
            self.assertIn("within 0.2 s", said)
        node = self.controlled()
        node.signal(signal.SIGSTOP)
        self.ctl(node, "--timeout", "0.2", "members", code=TIMEOUT)
        node.signal(signal.SIGCONT)
        self.ctl(node, "members")

    def test_an_answer_that_is_there_too_late(self):
        """All of it can be read at once, when the time is over."""
        slow = os.path.join(self.directory, "slow.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(slow)
            listener.listen(4)
            with subprocess.Popen([SWIMCTL, "--socket", slow, "--timeout", "0.5", "info"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  env=swimctltest.environment()) as asking:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    asking.send_signal(signal.SIGSTOP)
                    late = time.monotonic() + 0.6
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                    swimtest.wait_until(lambda: time.monotonic() > late, 5, "it is late")
                    asking.send_signal(signal.SIGCONT)
                    self.assertIn("within 0.5 s", asking.communicate(timeout=10)[1])
                self.assertEqual(asking.returncode, TIMEOUT)

    def test_no_answer_of_swimd(self):
        """Whatever is at the socket: an error, no crash, and nothing of it on the terminal."""
        answers = [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-x\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\x1b[",
                   b"HTTP/1.1 500 x\r\nContent-Length: 22\r\n\r\n{\"error\":\"\\u001b[2J\"}\n\n",
                   b"HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\n{}"]
        path = os.path.join(self.directory, "fake.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(4)

            def serve():
                for answer in answers:
                    connection = listener.accept()[0]
                    with connection:
                        connection.recv(4096)
                        connection.sendall(answer)

            server = threading.Thread(target=serve)
            server.start()
            for answer in answers:
                done = swimctl("info", path=path)
                self.assertIn(done.returncode, (FAILURE, UNREACHABLE), answer)
                self.assertEqual(done.stdout, "")
                self.assertNotIn("\x1b", done.stderr)
            server.join()

    def test_usage(self):
        for arguments in ([], ["frob"], ["--frob"], ["info", "--frob"], ["info", "more"],
                          ["--timeout"], ["--timeout", "x", "info"], ["--timeout", "-1", "info"],
                          ["--timeout", "nan", "info"], ["--timeout", "1e3", "info"],
                          ["members", "--status"], ["-x"], ["help", "frob"],
                          ["--socket", "", "info"], ["--socket", "/" + "s" * 107, "info"],
                          ["--socket", "/" + "s" * 107, "monitor"], ["--sock", "/s", "info"],
                          ["keys", "install", "--key-file", ""],
                          ["debug", ""], ["ping", ""], ["join", ""]):
            with self.subTest(" ".join(arguments)):
                said = self.ctl(None, *arguments, code=USAGE)
                self.assertTrue(said.startswith("swimctl: "), said)
                self.assertEqual(said.count("\n"), 1, said)

    def test_where_the_socket_is(self):
        node = self.controlled()
        folder = os.path.join(self.directory, "run")
        os.mkdir(folder)
        os.symlink(node.control, os.path.join(folder, "control.sock"))
        for changes in ({"SWIM_SOCKET": node.control}, {"RUNTIME_DIRECTORY": folder},
                        {"RUNTIME_DIRECTORY": folder + ":/other"},
                        {"SWIM_SOCKET": node.control, "RUNTIME_DIRECTORY": "/nowhere"}):
            self.ctl(None, "info", env=swimctltest.environment(**changes))
        self.ctl(node, "info", env=swimctltest.environment(SWIM_SOCKET="/nowhere"))

    def test_standard_output_that_is_full(self):
        node = self.controlled()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SWIMCTL, "--socket", node.control, "members"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, FAILURE)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    swimtest.main()
