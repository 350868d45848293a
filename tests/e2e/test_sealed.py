#!/usr/bin/env python3
"""Sealed clusters: who gets in, who doesn't, what can be read on the way, what a recording is worth,
and where the key is not."""

import os
import pwd
import re
import resource
import signal
import socket
import struct
import unittest

import swimtest
import sealtest
from sealtest import draw_key, key_id
from swimtest import load_tests  # noqa: F401

needs_tap = unittest.skipUnless(sealtest.Tap.is_possible(), "listening on loopback takes root")


def address_bytes(node):
    return socket.inet_aton("127.0.0.1") + struct.pack(">H", node.port)


class Tapped(sealtest.SealTestCase):
    def tell_tales(self, nodes):
        """Byte strings that a datagram about a member holds in plaintext: its id, its address."""
        ids = {int(n["id"]) for n in nodes[0].membership()}
        return [struct.pack(">Q", i) for i in ids] + [address_bytes(n) for n in nodes]

    def captured(self, nodes, tap):
        """What went over the wire while the last member was started again."""
        self.await_probes(nodes, 8)  # everybody has met everybody
        nodes[-1].terminate()
        nodes[-1].start()
        self.await_all_alive(nodes, 5, since=nodes[-1].started)
        self.await_probes(nodes, 6)
        seen = [data for _, _, data in list(tap.seen)]
        self.assertGreater(len(seen), 50)
        return seen


class Recordings(Tapped):
    """One after the other: no probe may be lost."""

    @staticmethod
    def state(nodes):
        return [sorted((n["id"], n["addr"], n["status"], n["incarnation"]) for n in
                       node.membership()) for node in nodes]

    def replay(self, data, node):
        """All of it to one node, slowly enough for its limits on strangers. What comes back, if
        anything, is no larger than what went there: each answer has a datagram of its own, not
        smaller, that it can be the answer to."""
        answers = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as eavesdropper:
            for one in data + [None]:
                eavesdropper.settimeout(0.003 if one else 0.3 * swimtest.FACTOR)
                if one:
                    eavesdropper.sendto(one, ("127.0.0.1", node.port))
                try:
                    while len(answers) <= len(data):
                        answers.append(len(eavesdropper.recv(65536)))
                except socket.timeout:
                    pass
        sent = sorted(map(len, data), reverse=True)
        self.assertLessEqual(len(answers), len(sent))
        for answer, asked in zip(sorted(answers, reverse=True), sent):
            self.assertLessEqual(answer, asked)

    @needs_tap
    def test_a_recording_changes_nothing(self):
        nodes = self.sealed_cluster(4, draw_key())
        tap = sealtest.Tap(self, [n.port for n in nodes])
        self.await_probes(nodes, 8)  # everybody has met everybody
        leaver = nodes.pop()
        # A member that leaves says so in the recording: heard again, it would leave again.
        leaver.terminate()
        seen = list(tap.seen)
        leaver.start()
        nodes.append(leaver)
        self.await_all_alive(nodes, 5, since=leaver.started)
        self.await_probes(nodes, 12)
        seen = list(dict.fromkeys(seen + list(tap.seen)))[-600:]
        tap.close()
        swimtest.wait_until(lambda: nodes[0].view() == sorted((n.addr, "alive") for n in nodes), 25,
                            "the one that left is forgotten")
        self.await_probes(nodes, 4)
        before = self.state(nodes)
        replays = [n.counter("seal_drop_replay") for n in nodes]
        for node in nodes:
            self.replay([data for _, _, data in seen], node)
        self.assertEqual(self.state(nodes), before)
        # What was heard before is known as such. (What was on its way to others is not, but it is
        # from a stranger's address.)
        for node, count in list(zip(nodes, replays))[:3]:
            heard = sum(destination == node.port for _, destination, _ in seen)
            self.assertGreater(heard, 5)
            self.assertGreaterEqual(node.counter("seal_drop_replay"), count + heard)
        self.await_probes(nodes, 4)
        self.assertEqual(self.state(nodes), before)
        self.assert_no_probe_lost(nodes[:3])

    @needs_tap
    def test_a_recording_changes_nothing_at_a_receiver_that_has_just_started(self):
        key = draw_key()
        nodes = self.sealed_cluster(3, key)
        tap = sealtest.Tap(self, [n.port for n in nodes])
        seen = self.captured(nodes, tap)
        tap.close()
        # All of it is genuine, and nobody who said it is there any more.
        port = nodes[0].port
        for node in nodes:
            node.kill()
        fresh = self.sealed_node("fresh", key, port=port).await_http()
        before = self.state([fresh])
        self.replay(seen, fresh)
        swimtest.wait_until(lambda: fresh.counter("seal_unproved") >= len(seen) / 2, 5, "opened")
        self.assertEqual(self.state([fresh]), before)
        self.assertEqual(len(before[0]), 1)
        for name in ("seal_admitted", "seal_windows", "seal_drop_forged", "merges_new"):
            self.assertEqual(fresh.counter(name), 0, name)
        # One that speaks now is heard.
        friend = self.sealed_node("friend", key, peers=[fresh])
        self.await_all_alive([fresh, friend], 5)


class Sealed(Tapped):
    side_by_side = True

    def assert_unreadable(self, envelope):
        nodes = self.sealed_cluster(5, draw_key(), text=f"envelope = {envelope}\n")
        self.assertEqual(len(nodes[0].lines("datagrams are sealed", f"envelope={envelope}")), 1)
        tap = sealtest.Tap(self, [n.port for n in nodes])
        seen = self.captured(nodes, tap)
        # In clear: nonce and sender (envelope 1); version, key, sender, start, counter, salt (2).
        clear = {1: 20, 2: 28}[envelope]
        for tale in self.tell_tales(nodes):
            self.assertFalse([data.hex() for data in seen if tale in data[clear:]])
        if envelope == 2:
            self.assertEqual({data[0] for data in seen}, {2})
            numbers = [data[2:28] for data in seen]
            self.assertEqual(len(numbers), len(set(numbers)), "no number is used twice")
        else:
            nonces = [data[:12] for data in seen]
            self.assertEqual(len(nonces), len(set(nonces)), "no nonce is used twice")

    @needs_tap
    def test_five_members_under_envelope_2(self):
        self.assert_unreadable(2)

    @needs_tap
    def test_five_members_under_envelope_1(self):
        self.assert_unreadable(1)

    @needs_tap
    def test_plaintext_can_be_read(self):
        # What the two tests above look for is there when nothing is sealed.
        nodes = self.sealed_cluster(3)
        tap = sealtest.Tap(self, [n.port for n in nodes])
        seen = self.captured(nodes, tap)
        self.assertTrue(all(any(tale in data for data in seen)
                            for tale in self.tell_tales(nodes)))

    # Strangers.

    def assert_kept_out(self, nodes, stranger, cause, seconds=3):
        """The stranger knocks several times and is told of once by the one that it knocks at."""
        swimtest.wait_until(lambda: (nodes[0].lines("refused", stranger.addr, cause),
                                     nodes[0].log()[-1000:]), 5, f"{stranger.name}: {cause}")
        swimtest.hold(lambda: (stranger.live() == [stranger.addr], stranger.view()), seconds,
                      f"{stranger.name} is alone", interval=0.2)
        for node in nodes:
            self.assertNotIn(stranger.addr, str(node.membership()))
        self.assertEqual(len(nodes[0].lines("refused", stranger.addr)), 1)

    def test_who_is_kept_out(self):
        key = draw_key()
        nodes = self.sealed_cluster(3, key, cluster="blue")
        first = nodes[:1]
        keyless = self.sealed_node("keyless", peers=first)
        wrong = self.sealed_node("wrong-key", draw_key(), cluster="blue", peers=first)
        other = self.sealed_node("other-name", key, cluster="green", peers=first)
        nameless = self.sealed_node("no-name", key, peers=first)
        older = self.sealed_node("envelope-1", key, cluster="blue", text="envelope = 1\n",
                                 peers=first)
        seconds = 3
        for stranger, cause in ((keyless, "plaintext"), (wrong, "not held here"),
                                (other, "another key or cluster"),
                                (nameless, "another key or cluster"), (older, "")):  # too short, or of another version
            self.assert_kept_out(nodes, stranger, cause, seconds)
            seconds = 0.2
        # They tried more than once.
        self.assertGreater(nodes[0].counter("plaintext_refused"), 1)
        for name in ("key", "forged"):
            self.assertGreater(nodes[0].counter(f"seal_drop_{name}"), 1, name)
        self.assertEqual(nodes[0].live(), sorted(n.addr for n in nodes))
        # One with all of it gets in.
        friend = self.sealed_node("friend", key, cluster="blue", peers=first)
        self.await_all_alive(nodes + [friend], 5)

    def test_migration_does_not_let_the_wrong_key_in(self):
        for mode in ("accept", "send"):
            node = self.sealed_node("node", draw_key(), text=f'plaintext = "{mode}"\n').await_http()
            wrong = self.sealed_node("wrong-key", draw_key(), peers=[node])
            self.assert_kept_out([node], wrong, "not held here", 0.5)

    def test_a_flood_of_strangers_does_not_fill_the_log(self):
        node = self.sealed_node("node", draw_key()).await_http()
        dropped = node.counter("seal_drop_size")
        for _ in range(200):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"\x02garbage", ("127.0.0.1", node.port))
        swimtest.wait_until(lambda: node.counter("seal_drop_size") == dropped + 200, 5, "counted")
        # A table's worth and a line that starts the minute.
        self.assertIn(len(node.lines("refused")), (64, 65))
        self.assertNotIn("garbage", node.log())

    # The key.

    def assert_nowhere(self, node, *secrets):
        with open(f"/proc/{node.pid}/cmdline", "rb") as cmdline:
            words = cmdline.read().decode()
        for path in ("/metrics", "/metrics/json", "/membership"):
            words += node.http(path)[2].decode()
        words += node.log() + str(self.ask(node, "GET", "/keys"))
        for secret in secrets:
            self.assertNotIn(secret.lower(), words.lower())

    @staticmethod
    def memory(node):
        """(what is mapped, is it locked and kept out of dumps?) of a process, region by region."""
        with open(f"/proc/{node.pid}/smaps", encoding="ascii") as maps:
            text = maps.read()
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (r\S+) [\s\S]*?^VmFlags: (.*)$", text, re.M)
        with open(f"/proc/{node.pid}/mem", "rb", buffering=0) as mem:
            for start, end, _, flags in regions:
                start, end = int(start, 16), int(end, 16)
                # The arena of the member and the tables are mostly untouched; bounded all the same.
                if end - start > 64 << 20:
                    continue
                try:
                    mem.seek(start)
                    yield mem.read(end - start), {"lo", "dd"} <= set(flags.split())
                except OSError:
                    continue

    def key_sources(self, key):
        path = self.key_file("key", key)
        yield "file", ["--cluster-key-file", path]
        yield "flag", ["--cluster-key", key]
        yield "flag with =", [f"--cluster-key={key.upper()}"]
        config = self.configuration("key.toml", f'[network]\ncluster_key = "{key}"\n')
        yield "configuration", ["--config", config]

    def test_the_key_is_nowhere(self):
        key = draw_key()
        for number, (name, arguments) in enumerate(self.key_sources(key)):
            with self.subTest(name):
                control = os.path.join(self.directory, f"{number}.sock")
                node = self.node(*arguments, "--control-socket", control).await_http()
                node.control = control
                self.assertIn(f"key={key_id(key)}", node.log())
                node.signal(signal.SIGHUP)
                self.assert_nowhere(node, key)
                self.assertEqual(len(node.lines("command line", "every user")),
                                 int(name.startswith("flag")))
                node.terminate()

    @unittest.skipUnless(os.geteuid() == 0, "looking into another process takes root")
    def test_the_key_is_in_locked_memory_alone(self):
        if sealtest.is_sanitized():
            self.skipTest("the sanitizer keeps freed memory, and copies of its own")
        key = draw_key()
        for number, (name, arguments) in enumerate(self.key_sources(key)):
            with self.subTest(name):
                control = os.path.join(self.directory, f"m{number}.sock")
                node = self.node(*arguments, "--control-socket", control).await_http()
                node.control = control
                installed = draw_key()
                if name == "file":
                    self.await_reload(node)
                self.assertEqual(self.ask(node, "POST", "/keys/install", {"key": installed})[0], 200)
                found = 0
                for secret in (key, installed):
                    for memory, is_locked in self.memory(node):
                        where = memory.find(bytes.fromhex(secret))
                        found += where >= 0
                        self.assertTrue(where < 0 or is_locked, "a key in memory that can be swapped")
                        self.assertLess(memory.lower().find(secret.encode()), 0, "a key in digits")
                self.assertGreaterEqual(found, 2, "it is held somewhere")
                node.terminate()

    @unittest.skipUnless(os.geteuid() == 0, "being somebody else takes root")
    def test_others_of_the_same_user_can_not_look_into_it(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        path = self.key_file("key", draw_key())
        os.chown(path, nobody, -1)
        os.chmod(self.directory, 0o755)
        owners = []
        for arguments in (["--cluster-key-file", path], []):
            node = self.node(*arguments, start=False)
            node.process = swimtest.spawn(node.command(), user=nobody, stderr=-3, stdout=-3)
            node.await_http()
            owners.append(os.stat(f"/proc/{node.pid}/mem").st_uid)
            node.terminate()
        self.assertEqual(owners, [0, nobody])

    @unittest.skipIf(resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 or sealtest.is_sanitized(),
                     "no core dumps here anyway")
    def test_no_core_dumps_with_a_key(self):
        def allow():
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

        sizes = []
        for arguments in (["--cluster-key-file", self.key_file("key", draw_key())], []):
            node = self.node(*arguments, start=False)
            node.process = swimtest.spawn(node.command(), preexec_fn=allow, stderr=-3, stdout=-3)
            node.await_http()
            with open(f"/proc/{node.pid}/limits", encoding="ascii") as limits:
                sizes.append(re.search(r"Max core file size +(\S+)", limits.read()).group(1))
            node.terminate()
        self.assertEqual(sizes[0], "0")
        self.assertNotEqual(sizes[1], "0")

    def test_generate_key(self):
        keys = set()
        for _ in range(20):
            done = swimtest.run("--generate-key")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\A[0-9a-f]{64}\n\Z")
            keys.add(done.stdout)
        self.assertEqual(len(keys), 20)


if __name__ == "__main__":
    swimtest.main()
