"""The member without sockets: whole clusters in virtual time, and what is refused."""
import json
import os
import random
import re
import unittest
from typing import Any, Dict, List, Optional, Tuple, Union

import swim
from swim import Address, Core, Drop, EventKind, Status

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "..", "..", "tests", "data")
STEP = 10 * swim.MS


class Cluster:
    """Members on a network of their own, where time is a number."""

    def __init__(self, count: int, seals: Optional[List[swim.Seal]] = None) -> None:
        self.now = 1000
        self.cores = [Core(f"10.0.0.{i}:7000", self.now, id=i, seed=i)
                      for i in range(1, count + 1)]
        self.addrs = [core.members()[0].addr for core in self.cores]
        self.seals = seals
        self.silent: List[int] = []
        self.events: List[List[swim.Event]] = [[] for _ in self.cores]

    def deliver(self, i: int) -> None:
        """What member i has to say."""
        datagram = self.cores[i].transmit(self.now)
        while datagram is not None:
            to, data = self.addrs.index(datagram[0]), datagram[1]
            if i not in self.silent and to not in self.silent:
                self.hear(to, i, data)
            datagram = self.cores[i].transmit(self.now)

    def hear(self, to: int, source: int, data: bytes) -> None:
        """A datagram on its way, sealed if there are keys."""
        if self.seals is None:
            self.cores[to].receive(self.now, self.addrs[source], data)
            return
        sealed = self.seals[source].wrap(data)
        assert sealed is not None and sealed[24:] != data
        opened = self.seals[to].open(sealed)
        if not isinstance(opened, swim.Opened):
            return
        if opened.is_fresh:
            self.cores[to].receive(self.now, self.addrs[source], opened.data)
        elif self.cores[to].receive_unproved(self.now, self.addrs[source], opened.data) == Drop.OK:
            self.seals[to].admit(opened)

    def run(self, milliseconds: int) -> None:
        """Time passes."""
        end = self.now + milliseconds * swim.MS
        while self.now < end:
            self.now += STEP
            for i, core in enumerate(self.cores):
                core.advance(self.now)
                self.deliver(i)
                event = core.next_event()
                while event is not None:
                    self.events[i].append(event)
                    event = core.next_event()

    def kinds(self, i: int, about: int) -> List[str]:
        """What member i heard of another."""
        return [e.kind.name for e in self.events[i] if e.member.id == about + 1]


class Virtual(unittest.TestCase):
    def cluster(self, count: int, **options: Any) -> Cluster:
        """All know the first."""
        cluster = Cluster(count, **options)
        for core in cluster.cores[1:]:
            self.assertTrue(core.join(cluster.now, "10.0.0.1:7000"))
        return cluster

    def test_a_life(self) -> None:
        """Met, tagged, dead, left: in minutes that take no time."""
        c = self.cluster(4)
        c.run(2000)
        for core in c.cores:
            self.assertEqual(core.count(Status.ALIVE), 4)
            self.assertEqual(core.view_digest(), c.cores[0].view_digest())
        c.cores[1].set_meta(c.now, "zwei", {"role": "db", "größe": ""})
        c.run(3000)
        self.assertEqual(c.cores[3].meta(2), ("zwei", {"role": "db", "größe": ""}))
        named = c.cores[3].member_named("zwei")
        assert named is not None
        self.assertEqual((named.id, named.tags["role"]), (2, "db"))
        self.assertIn("RETAGGED", c.kinds(3, 1))
        self.assertEqual(c.cores[0].ping(c.now, 3), swim.Order.DONE)
        self.assertEqual(c.cores[0].ping(c.now, 99), swim.Order.UNKNOWN)
        c.run(100)
        pong = next(e for e in c.events[0] if e.kind == EventKind.PONG)
        self.assertEqual(pong.member.id, 3)
        assert pong.rtt is not None
        self.assertLess(pong.rtt, 0.1)
        c.silent.append(2)
        c.run(15000)
        self.assertEqual(c.kinds(0, 2)[-2:], ["SUSPECTED", "FAILED"])
        c.cores[3].leave(c.now)
        c.run(1000)
        self.assertTrue(c.cores[3].has_left)
        self.assertEqual(c.kinds(0, 3)[-1], "LEFT")
        self.assertIn("LEAVE_DONE", c.kinds(3, 3))
        self.assertEqual(c.cores[0].force_leave(c.now, 3, prune=True), swim.Order.DONE)
        self.assertIsNone(c.cores[0].member(3))
        for core in c.cores:
            self.assertIsNone(core.check())
        self.assertGreater(c.cores[0].stats()["datagrams_sent"], 50)
        self.assertEqual(c.cores[0].stats()["members"][Status.ALIVE], 2)

    def test_the_same_again(self) -> None:
        """The same seeds, the same run; a copy goes on as its original does."""
        digests = []
        for _ in range(2):
            c = Cluster(3)
            c.cores[1].join(c.now, "10.0.0.1:7000")
            sent = []
            for step in range(300):
                c.now += STEP
                for i, core in enumerate(c.cores):
                    core.advance(c.now)
                    twin = core.copy() if step % 50 == 0 else None
                    datagram = core.transmit(c.now)
                    if twin is not None:
                        self.assertEqual(twin.transmit(c.now), datagram)
                    while datagram is not None:
                        sent.append((i, datagram))
                        datagram = core.transmit(c.now)
            digests.append(str([(i, d[0], d[1][:12]) for i, d in sent]))
        self.assertEqual(*digests)

    def test_sealed(self) -> None:
        """Under one key they meet; under another they don't."""
        keys = [swim.generate_key()] * 2 + [swim.generate_key()]
        seals = [swim.Seal([key], start=1) for key in keys]
        c = self.cluster(3, seals=seals)
        c.run(3000)
        self.assertEqual([core.count(Status.ALIVE) for core in c.cores], [2, 2, 1])
        self.assertGreater(seals[0].stats()["dropped"]["key"], 0)
        # To a new key while it runs.
        fresh = swim.generate_key()
        for seal in seals[:2]:
            seal.install(fresh)
        for seal in seals[:2]:
            seal.use(swim.Seal.key_id(fresh))
        for seal in seals[:2]:
            seal.remove(swim.Seal.key_id(keys[0]))
            self.assertEqual(seal.keys(), (swim.Seal.key_id(fresh),))
        c.run(10000)
        self.assertNotIn("SUSPECTED", c.kinds(0, 1))
        for seal in seals:
            seal.close()
            seal.close()
        with self.assertRaises(ValueError):
            seals[0].wrap(bytes(24))

    def test_readme(self) -> None:
        """The example of virtual time in README.md."""
        with open(os.path.join(HERE, "..", "README.md"), encoding="utf-8") as page:
            block = next(b for b in re.findall(r"```python\n(.*?)```", page.read(), re.S)
                         if "def meet" in b)
        scope: Dict[str, Any] = {"swim": swim}
        exec(block, scope)  # pylint: disable=exec-used
        scope["meet"]()


class Refused(unittest.TestCase):
    def test_addresses(self) -> None:
        """What is one, and what is none."""
        for text in ("1.2.3.4:5", "[2001:db8::1]:65535", "[::1]:0"):
            self.assertEqual(str(Address.parse(text)), text)
        self.assertEqual(str(Address.parse("[::ffff:1.2.3.4]:5")), "1.2.3.4:5")
        self.assertEqual(Address.of("fe80::1%lo", 7), Address("fe80::1", 7))
        for text in ("", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "1.2.3.4:-1",
                     "::1:7000", "[1.2.3.4:7", "1.2.3.4]:7", "host:7000", "[::1]:7 ", "[1.2.3.4]:7",
                     "1.2.3.4:\N{SUPERSCRIPT TWO}"):
            with self.assertRaises(ValueError, msg=text):
                Address.parse(text)

    def test_settings(self) -> None:
        """Each mistake is named."""
        cases: List[Tuple[Dict[str, Any], str]] = [
            ({"probe_interval_ms": 1}, "probe_interval_ms"), ({"fanout": 1 << 40}, "fanout"),
            ({"members_max": 1}, "members_max"), ({"fanout": -1}, "fanout")]
        for settings, word in cases:
            with self.assertRaisesRegex(ValueError, word):
                Core("10.0.0.1:7000", 0, **settings)
        with self.assertRaisesRegex(TypeError, "probe_intervall"):
            Core("10.0.0.1:7000", 0, probe_intervall=1)
        for addr in ("0.0.0.0:7000", "[::]:7000", "10.0.0.1:0", "224.0.0.1:7000"):
            with self.assertRaisesRegex(ValueError, "addr"):
                Core(addr, 0)
        with self.assertRaisesRegex(ValueError, "cluster"):
            Core("10.0.0.1:7000", 0, cluster="x" * 65)

    def test_time(self) -> None:
        """It doesn't run backwards; a bug of the caller's does not end the process."""
        core = Core("10.0.0.1:7000", 1000)
        core.advance(2000)
        for call in (core.advance, core.transmit, core.leave):
            with self.assertRaisesRegex(ValueError, "backwards"):
                call(1999)
        self.assertIsNone(core.deadline())

    def test_names_and_tags(self) -> None:
        """What is none."""
        core = Core("10.0.0.1:7000", 0)
        cases: List[Tuple[str, Dict[str, str]]] = [
            ("x" * 129, {}), ("a\nb", {}), ("a\0b", {}), ("", {"": "v"}), ("", {"a=b": "v"}),
            ("", {"k" * 256: ""}), ("", {"k": "v" * 5000}), ("", {"k": "\x7f"})]
        for name, tags in cases:
            with self.assertRaises(ValueError, msg=(name, tags)):
                core.set_meta(1, name, tags)
        self.assertIsNone(core.meta(core.members()[0].id))

    def test_any_bytes(self) -> None:
        """From the network come drops, never errors."""
        seed = int(os.environ.get("SWIM_TEST_SEED", random.randrange(1 << 32)))
        print(f"SWIM_TEST_SEED={seed}")
        rng = random.Random(seed)
        core, seal = Core("10.0.0.1:7000", 0), swim.Seal([swim.generate_key()])
        source = Address("10.0.0.2", 7000)
        for size in [*range(80), *range(1460, 1480), 65000]:
            data = rng.randbytes(size)
            self.assertNotEqual(core.receive(1, source, data), Drop.OK)
            self.assertIsInstance(seal.open(data), swim.SealDrop)
        self.assertIsNone(core.check())

    def test_keys(self) -> None:
        """Good ones and bad ones, which are never shown."""
        keys: List[Union[str, bytes]] = ["", "zz" * 32, "ab" * 31, b"short", bytes(32)]
        for bad in keys:
            with self.assertRaises(ValueError) as caught:
                swim.Seal([bad])
            if len(bad) > 8 and isinstance(bad, str):
                self.assertNotIn(bad[:8], str(caught.exception))
        with self.assertRaises(ValueError):
            swim.Seal([])
        wrong: List[Dict[str, Any]] = [{"envelope": 3}, {"start": -1}, {"members_max": 1}]
        for options in wrong:
            with self.assertRaises(ValueError):
                swim.Seal(["ab" * 32], **options)

    def test_vectors(self) -> None:
        """Envelopes that another implementation has computed."""
        with open(os.path.join(DATA, "envelope-2", "vectors.jsonl"), encoding="utf-8") as lines:
            for vector in map(json.loads, lines):
                self.assertEqual(swim.Seal.key_id(vector["key"]), int(vector["key_id"], 16))
                seal = swim.Seal([vector["key"]], cluster=vector["cluster"])
                opened = seal.open(bytes.fromhex(vector["hex"]))
                assert isinstance(opened, swim.Opened), vector["name"]
                self.assertEqual(opened.data.hex(), vector["plaintext_hex"])
                self.assertFalse(opened.is_fresh)
                seal.admit(opened)
                self.assertEqual(seal.open(bytes.fromhex(vector["hex"])), swim.SealDrop.REPLAY)


if __name__ == "__main__":
    unittest.main()
