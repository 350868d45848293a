#!/usr/bin/env python3
"""Tables of a thousand members, from a daemon that is none: readable in every width, the same
wherever they are piped to, and safe whatever members are called."""

import fcntl
import json
import os
import pty
import re
import socket
import struct
import termios
import threading
import time

import swimctltest
import swimtest
from swimctltest import FAILURE, SWIMCTL
from swimtest import load_tests  # noqa: F401

COUNT = 1000
NASTY = "\x1b]0;owned\x07\x1b[2J\u202egnp.\u009b31m\n- 10.0.0.1:1 alive"


def member(number):
    status = ("alive", "suspect", "dead", "left")[0 if number % 10 else number // 10 % 4]
    return {"id": str(10 ** 19 + number), "addr": f"10.0.{number // 250}.{number % 250}:7000",
            "name": f"node-{number}.rack-{number % 17}.example.org", "status": status,
            "tags": {"role": "db" if number % 2 else "web", "zone": f"eu-{number % 3}"},
            "incarnation": number, "heartbeat": 1, "self": number == 0, "capable": True,
            "proved": True, "rtt_seconds": round(0.0001 * (number + 1), 6),
            "changed": "2026-01-31T12:00:00.123Z"}


class Fake:
    """Answers each request with the same, as swimd would; bytes are sent as they are."""

    def __init__(self, path, value, status=200):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answer = (b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % (status, len(body))) + body
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(self.answer)
                except OSError:
                    pass


def on_terminal(columns, command, **changes):
    """What a command prints on a terminal of that width; its exit code."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = swimtest.spawn(command, stdin=slave, stdout=slave, stderr=slave,
                             env=swimctltest.environment(**{"TERM": "xterm", **changes}))
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
    os.close(master)
    return data.decode().replace("\r\n", "\n"), process.wait(20)


def without_colours(text):
    return re.sub(r"\x1b\[\d*m", "", text)


class Tables(swimctltest.CtlCase):
    side_by_side = True

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "fake.sock")

    def fake(self, members):
        fake = Fake(self.path, {"members": members})
        self.addCleanup(fake.listener.close)
        return [SWIMCTL, "--socket", self.path]

    def thousand(self):
        numbers = list(range(COUNT))
        swimtest.rng.shuffle(numbers)
        return self.fake([member(number) for number in numbers])

    def test_piped(self):
        self.thousand()
        began = time.monotonic()
        text = self.ctl(self.path, "members")
        self.assertLess(time.monotonic() - began, 2 * swimtest.FACTOR)
        lines = text.splitlines()
        self.assertEqual(len(lines), COUNT + 2)
        self.assertEqual(lines[0].split(), ["NAME", "ADDRESS", "STATUS", "RTT", "INC", "TAGS", "ID"])
        names = [line.split()[0] for line in lines[1:-1]]
        self.assertEqual(names, [member(n)["name"] for n in range(COUNT)], "by number, not letter")
        self.assertEqual(lines[-1], "1000 members: 925 alive, 25 suspect, 25 dead, 25 left")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\u2026", text)
        starts = {line.index("10.0.") for line in lines[1:-1]}
        self.assertEqual(len(starts), 1, "columns are columns")
        self.assertEqual(lines[1].split()[5:8], ["role=web", "zone=eu-0", "10000000000000000000"])
        shown = json.loads(self.ctl(self.path, "members", "--json"))["members"]
        self.assertEqual(shown, [member(n) for n in range(COUNT)])

    def test_every_width_of_a_terminal(self):
        command = self.thousand()
        for columns in (200, 132, 100, 80, 60, 40, 20, 5):
            with self.subTest(columns):
                text, code = on_terminal(columns, [*command, "members"])
                self.assertEqual(code, 0)
                lines = without_colours(text).splitlines()
                self.assertEqual(len(lines), COUNT + 2)
                self.assertLessEqual(max(len(line) for line in lines[:-1]), columns)
                if columns >= 60:
                    self.assertTrue(all(re.search(r"10\.0\.\d+\.\d+:7000 +(alive|suspect|dead|left)",
                                                  line) for line in lines[1:-1]))
                if columns >= 80:
                    for number, line in enumerate(lines[1:-1]):
                        self.assertTrue(line.startswith(f"node-{number}.rack-{number % 17}"), line)
                        self.assertIn("role=", line)

    def test_colours(self):
        command = self.fake([member(0), member(10), member(20)])
        text = on_terminal(100, [*command, "members"])[0]
        self.assertIn("\x1b[32malive\x1b[0m", text)
        self.assertIn("\x1b[33msuspect\x1b[0m", text)
        self.assertIn("\x1b[31mdead\x1b[0m", text)
        for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": None}):
            self.assertNotIn("\x1b", on_terminal(100, [*command, "members"], **changes)[0])
        self.assertIn("\x1b[32m", on_terminal(100, [*command, "members"], NO_COLOR="")[0])
        self.assertNotIn("\x1b", self.ctl(self.path, "members"))

    def test_hostile_names(self):
        hostile = {**member(1), "name": NASTY, "tags": {"k\x1b[31m": NASTY, "b": "\u2028"},
                   "addr": NASTY, "id": NASTY}
        command = self.fake([member(0), hostile])
        shown = [self.ctl(self.path, "members"), on_terminal(120, [*command, "members"],
                                                             NO_COLOR="1")[0]]
        for text in shown:
            self.assertEqual(len(text.splitlines()), 4)
            for character in "\x1b\x07\u202e\u009b\u2028":
                self.assertNotIn(character, text)
        for verb in (["rtt"], ["ping", NASTY], ["--complete", "members"], ["info"], ["tags"],
                     ["keys", "list"]):
            text, _ = on_terminal(120, [*command, *verb] if verb[0] != "--complete"
                                  else [SWIMCTL, *verb], NO_COLOR="1", SWIM_SOCKET=self.path)
            for character in "\x1b\x07\u202e\u009b":
                self.assertNotIn(character, text, verb)
        shown = self.ctl(self.path, "members", "--json")
        for character in "\x1b\x07\x7f\u009b":
            self.assertNotIn(character, shown)
        self.assertIn(NASTY, [m["name"] for m in json.loads(shown)["members"]], "not changed")

    def test_hostile_texts(self):
        """Answers that are no JSON, and failures: neither acts upon the terminal."""
        for value, status in ((f"a\tb\n{NASTY}\x7f\0é".encode() + b"\xff", 200),
                              ({"error": NASTY}, 400)):
            fake = Fake(self.path, value, status)
            for verb in (["metrics"], ["debug"], ["debug", "--json"], ["info", "--json"]):
                done = swimctltest.swimctl(*verb, path=self.path)
                for character in "\x1b\x07\x7f\u009b\0":
                    self.assertNotIn(character, done.stdout + done.stderr, verb)
                if "--json" not in verb:
                    self.assertNotIn("\u202e", done.stdout + done.stderr, verb)
                if verb == ["metrics"] and status == 200:
                    self.assertIn("a\tb\n", done.stdout)
                    self.assertTrue(done.stdout.endswith("alive??é?"), done.stdout)
                if verb[0] == "debug" and status == 400:
                    self.assertNotEqual(done.returncode, 0, verb)
            fake.listener.close()
            os.unlink(self.path)

    def test_names(self):
        """By a name where one live member has it; else the ids are said."""
        same = [{**member(n), "name": "same"} for n in (1, 2)]
        gone = {**member(3), "name": "gone", "status": "dead"}
        back = [{**member(4), "name": "back", "status": "left"}, {**member(5), "name": "back"}]
        self.fake([*same, gone, *back])
        said = self.ctl(self.path, "ping", "same", code=FAILURE)
        for one in same:
            self.assertIn(one["id"], said)
        self.assertIn("nobody", self.ctl(self.path, "ping", "nobody", code=FAILURE))
        self.ctl(self.path, "ping", "gone")
        self.ctl(self.path, "ping", "back")


if __name__ == "__main__":
    swimtest.main()
