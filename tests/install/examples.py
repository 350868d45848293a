"""The programs of examples/, compiled against an installed library, as clusters on loopback.

Run by tools/check-install with EXAMPLES (where they are), LD_LIBRARY_PATH, and SWIMD, the installed
daemon.
"""
import os
import signal
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from swimtest import (FACTOR, SwimTestCase, free_port, load_tests, main, run, spawn,  # noqa: E402
                      wait_until)

EXAMPLES = os.environ["EXAMPLES"]
PLAIN = ("epoll", "libuv", "libevent", "cluster")
# Beyond the longest suspicion of a cluster of this size: 3 s, times 2.3, 1 s of jitter, a round.
DETECTED_WITHIN = 15


class Example:
    """One example program; what it prints goes to a file."""

    def __init__(self, test, name, *before, peers=(), after=(), host="127.0.0.1"):
        self.test, self.name = test, name
        port = free_port()
        self.addr = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.command = [os.path.join(EXAMPLES, name), *before, self.addr,
                        *(peer.addr for peer in peers), *after]
        self.log_path = os.path.join(test.directory, f"{name}-{port}.log")
        with open(self.log_path, "wb") as log:
            self.process = spawn(self.command, stdout=log, stderr=log)
        test.addCleanup(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def has(self, event, peer, status):
        return any(line.startswith(f"{event} {peer.addr} {status} id=")
                   for line in self.log().splitlines())

    def end(self, number, seconds=4):
        self.process.send_signal(number)
        return self.process.wait(seconds * FACTOR)


class Examples(SwimTestCase):
    side_by_side = True

    def doCleanups(self):
        if self._outcome is not None and not self._outcome.success:
            for example in self.examples:
                print(f"---- {' '.join(example.command)}\n{example.log()}", file=sys.stderr)
        return super().doCleanups()

    def setUp(self):
        super().setUp()
        self.examples = []

    def example(self, *arguments, **options):
        self.examples.append(Example(self, *arguments, **options))
        return self.examples[-1]

    def await_event(self, observers, event, subject, status, seconds):
        def probe():
            missing = [o.name for o in observers if not o.has(event, subject, status)]
            return not missing, missing
        wait_until(probe, seconds, f"all say {event} {subject.addr} {status}; these don't")

    def await_acquainted(self, examples, others=()):
        for subject in [*examples, *others]:
            self.await_event([e for e in examples if e is not subject], "joined", subject, "alive",
                             10)

    def play(self, examples, daemon):
        """All see each other; the first is killed, the second leaves; the others say so. Then they
        leave one after the other."""
        self.await_acquainted(examples, [daemon])
        wait_until(lambda: (daemon.live() == sorted(n.addr for n in [*examples, daemon]),
                            daemon.view()), 10, "swimd sees them all")
        killed, leaver, *rest = examples
        killed.kill()
        self.assertEqual(leaver.end(signal.SIGTERM), 0)
        self.assertTrue(leaver.has("leave_done", leaver, "left"), leaver.log())
        self.await_event(rest, "left", leaver, "left", 5)
        self.await_event(rest, "failed", killed, "dead", DETECTED_WITHIN)
        self.await_status([daemon], killed.addr, "dead", 5)
        for example in rest:
            self.assertFalse(example.has("failed", leaver, "dead"), example.log())
            self.assertEqual(example.end(signal.SIGINT), 0, example.log())
            self.assertTrue(example.has("leave_done", example, "left"), example.log())

    def mixed(self, names, host="127.0.0.1"):
        daemon = self.node(host=host)
        examples = [self.example(name, peers=[daemon], host=host) for name in names]
        self.play(examples, daemon)

    def test_mixed(self):
        self.mixed(["epoll", "libuv", "libevent", "cluster"])

    def test_mixed_v6(self):
        self.mixed(["libevent", "cluster", "libuv", "epoll"], host="::1")

    def test_mixed_the_other_way(self):
        self.mixed(["cluster", "epoll", "libevent", "libuv"])

    def test_each_kind_alone(self):
        """Three of a kind, without swimd: a chain of peers."""
        for name in PLAIN:
            first = self.example(name)
            second = self.example(name, peers=[first])
            third = self.example(name, peers=[second])
            self.await_acquainted([first, second, third])
            self.assertEqual(second.end(signal.SIGTERM), 0)
            self.await_event([first, third], "left", second, "left", 5)

    def test_members_are_listed(self):
        first = self.example("epoll")
        lister = self.example("cluster", peers=[first])
        wait_until(lambda: (f"\n    {first.addr} alive id=" in lister.log(), lister.log()), 10,
                   "cluster lists the other member")
        self.assertIn(f"\n    {lister.addr} alive id=", lister.log())

    def test_tags(self):
        """Tags of one are printed by the other, and those that are none are refused."""
        first = self.example("epoll", after=["role=db", "rack=7"])
        second = self.example("epoll", peers=[first])
        wait_until(lambda: (any(first.addr in line and line.endswith(" rack=7 role=db")
                                for line in second.log().splitlines()), second.log()),
                   10, "the tags arrive")
        process = spawn([os.path.join(EXAMPLES, "epoll"), f"127.0.0.1:{free_port()}", "=value"], stderr=-1, text=True)
        self.assertIn("key", process.communicate(timeout=5 * FACTOR)[1])
        self.assertEqual(process.returncode, 2)

    def key(self, name):
        path = self.file(name, run("--generate-key").stdout)
        os.chmod(path, 0o600)
        return path

    def test_sealed(self):
        """Sealed ones and swimd; one without a key, and one with another, meet nobody."""
        key = self.key("key")
        daemon = self.node("--cluster-key-file", key)
        examples = [self.example("sealed", key, peers=[daemon]) for _ in range(4)]
        strangers = [self.example("epoll", peers=examples[:2]),
                     self.example("sealed", self.key("other"), peers=examples[:2])]
        self.play(examples, daemon)
        for stranger in strangers:
            self.assertEqual(stranger.log(), "")
            for example in examples:
                self.assertNotIn(stranger.addr, example.log())

    def test_second_signal(self):
        """A leave waits for acknowledgements that don't come; whoever asks twice need not."""
        for name in PLAIN + ("sealed",):
            before = [self.key("key")] if name == "sealed" else []
            peer = self.example(name, *before)
            example = self.example(name, *before, peers=[peer])
            self.await_acquainted([peer, example])
            peer.kill()
            example.process.send_signal(signal.SIGINT)
            with open(f"/proc/{example.process.pid}/status", encoding="ascii") as status:
                self.assertIn("State:", status.read())
            wait_until(lambda: self.defaults(example), 2, f"{name} lets the next signal end it")
            self.assertEqual(example.end(signal.SIGINT, 1), -signal.SIGINT, name)

    @staticmethod
    def defaults(example):
        """SIGINT is neither pending, blocked, nor caught."""
        with open(f"/proc/{example.process.pid}/status", encoding="ascii") as status:
            masks = dict(line.split(":", 1) for line in status if line.startswith(("Sig", "Shd")))
        bit = 1 << (signal.SIGINT - 1)
        return all(int(masks[name], 16) & bit == 0
                   for name in ("SigPnd", "ShdPnd", "SigBlk", "SigCgt"))

    def test_mistakes(self):
        """Each is told what is wrong, and ends."""
        cases = [([], "usage"), (["0.0.0.0:7000"], "address"), (["[::]:7000"], "address"),
                 (["127.0.0.1"], "not an address"), (["127.0.0.1:0"], "not an address"),
                 (["127.0.0.1:65536"], "not an address"), (["127.0.0.1:7x"], "not an address"),
                 (["[::1:7000"], "not an address"), (["localhost:7000"], "not an address"),
                 (["127.0.0.1:7000", "127.0.0.1"], "not an address"),
                 (["192.0.2.1:7000"], "")]
        for name in PLAIN + ("sealed",):
            before = [self.key("key")] if name == "sealed" else []
            for arguments, what in cases:
                process = spawn([os.path.join(EXAMPLES, name), *before, *arguments], stdout=-1,
                                stderr=-1, text=True)
                out, err = process.communicate(timeout=5 * FACTOR)
                self.assertIn(process.returncode, (1, 2), (name, arguments))
                self.assertEqual(out, "", (name, arguments))
                self.assertIn(what, err, (name, arguments))
                self.assertEqual(err.count("\n"), 1, (name, arguments, err))

    def test_bad_keys(self):
        for content in ("", "short", "00" * 32, "zz" * 32):
            path = self.file("bad", content)
            process = spawn([os.path.join(EXAMPLES, "sealed"), path, "127.0.0.1:7000"], stderr=-1,
                            text=True)
            _, err = process.communicate(timeout=5 * FACTOR)
            self.assertEqual(process.returncode, 2, content)
            self.assertIn("no key", err)

    def test_sources_are_short(self):
        for name in os.listdir(os.path.join(ROOT, "examples")):
            if name.endswith((".c", ".cpp")):
                with open(os.path.join(ROOT, "examples", name), encoding="utf-8") as source:
                    self.assertLess(len(source.readlines()), 200, name)


if __name__ == "__main__":
    main()
