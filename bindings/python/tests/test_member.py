"""Members in asyncio on real sockets, among themselves and with swimd (SWIMD names it)."""
import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from typing import Any, AsyncIterator, Callable, List, Optional
from unittest import IsolatedAsyncioTestCase

import swim
from swim import EventKind, Member, Status

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)
SWIMD = os.environ.get("SWIMD") or shutil.which("swimd") or ""
FACTOR = float(os.environ.get("SWIM_TIME_FACTOR", "1"))
#: Longer than any suspicion of a small cluster.
DETECTED_WITHIN = 15.0


def free_port() -> int:
    """A UDP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AsyncCase(IsolatedAsyncioTestCase):
    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
        """Polls, with a deadline."""
        deadline = asyncio.get_running_loop().time() + seconds * FACTOR
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                self.fail(f"not within {seconds * FACTOR:g} s: {what}")
            await asyncio.sleep(0.02)

    async def await_all_alive(self, members: List[Member], count: int) -> None:
        """Each of them sees so many alive."""
        await self.until(lambda: all(len(m.members(Status.ALIVE)) == count for m in members),
                         f"{count} alive everywhere")

    async def event(self, events: swim.Events, kind: EventKind, addr: object,
                    seconds: float = 10) -> swim.Event:
        """The next event of this kind about this address."""
        async def find() -> swim.Event:
            async for event in events:
                if event.kind == kind and str(event.member.addr) == str(addr):
                    return event
            raise AssertionError(f"events ended without {kind.name} of {addr}")
        return await asyncio.wait_for(find(), seconds * FACTOR)


class Members(AsyncCase):
    async def three(self, host: str = "127.0.0.1", **options: Any) -> List[Member]:
        """A chain of peers."""
        members: List[Member] = []
        for i in range(3):
            peers = [str(members[-1].addr)] if members else []
            members.append(await Member(f"{host}:0", peers, name=f"m{i}", tags={"i": str(i)},
                                        **options).start())
            self.addCleanup(members[-1].close)
        await self.await_all_alive(members, 3)
        return members

    async def test_a_life(self) -> None:
        """They meet, know each other's names and tags; one leaves, one is gone without a word."""
        first, second, third = await self.three()
        await self.until(lambda: all(m.name for m in first.members()), "names are known")
        self.assertEqual([(m.name, m.tags["i"]) for m in sorted(first.members(), key=lambda m: m.name)],
                         [("m0", "0"), ("m1", "1"), ("m2", "2")])
        events = first.events()
        joined = await self.event(events, EventKind.JOINED, third.addr)
        self.assertEqual((joined.member.id, joined.member.is_self), (third.id, False))
        rtt = await first.ping(third.id)
        assert rtt is not None
        self.assertTrue(0 < rtt < 5)
        third.set_meta(tags={"i": "drei", "new": "ä"})
        await self.event(events, EventKind.RETAGGED, third.addr)
        tags = {"i": "drei", "new": "ä"}
        await self.until(lambda: any(m.tags == tags for m in first.members()), "new tags arrive")
        named = first.member_named("m2")
        assert named is not None
        self.assertEqual(named.id, third.id)
        addr = second.addr
        await second.leave()
        left = await self.event(events, EventKind.LEFT, addr)
        self.assertEqual(left.member.status, Status.LEFT)
        addr, third_id = third.addr, third.id
        third.close()
        self.assertIsNone(await first.ping(third_id))
        await self.event(events, EventKind.FAILED, addr, DETECTED_WITHIN)
        first.force_leave(third_id)
        with self.assertRaises(ValueError):
            await first.ping(12345)
        self.assertGreater(first.stats["failures"], 0)
        await first.leave()
        with self.assertRaises(StopAsyncIteration):
            while True:
                await events.__anext__()
        with self.assertRaises(RuntimeError):
            await first.join("127.0.0.1:7000")

    async def test_v6_and_dual_stack(self) -> None:
        """IPv6, and IPv4 over a wildcard of both."""
        await self.three("[::1]")
        async with Member("127.0.0.1:0") as four:
            port = free_port()
            async with Member(f"[::]:{port}", [str(four.addr)], advertise=f"127.0.0.1:{port}") as both:
                await self.await_all_alive([four, both], 2)

    async def test_sealed(self) -> None:
        """One key: they meet. Another, or none: they don't, and it is counted."""
        key = swim.generate_key()
        members = await self.three(key=key)
        self.assertGreater(members[0].stats["seal"]["opened"], 0)
        peers = [str(members[0].addr)]
        async with Member("127.0.0.1:0", peers) as plain, \
                Member("127.0.0.1:0", peers, key=swim.generate_key()) as other, \
                Member("127.0.0.1:0", peers, key=[swim.generate_key(), key]):
            await self.until(lambda: bool(sum(members[0].stats["seal"]["dropped"].values()) > 3),
                             "strangers are dropped")
            self.assertEqual([len(plain.members()), len(other.members())], [1, 1])

    async def test_a_block_that_fails(self) -> None:
        """It leaves all the same, and the error comes out."""
        async with Member("127.0.0.1:0") as first:
            with self.assertRaises(ZeroDivisionError):
                async with Member("127.0.0.1:0", [str(first.addr)]) as second:
                    await self.await_all_alive([first, second], 2)
                    raise ZeroDivisionError
            await self.until(lambda: len(first.members(Status.LEFT)) == 1, "it is told to have left")

    async def test_readers(self) -> None:
        """Each hears everything; one that is too slow is told; a cancelled one loses nothing."""
        async with Member("127.0.0.1:0") as first:
            early, late = first.events(), first.events()
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(early.__anext__(), 0.01)
            async with Member("127.0.0.1:0", [str(first.addr)]) as second:
                for reader in (early, late):
                    await self.event(reader, EventKind.JOINED, second.addr)
                for i in range(5000):
                    first.set_meta(tags={"i": str(i)})
                with self.assertRaises(swim.EventsMissed):
                    await early.__anext__()
                self.assertEqual((await early.__anext__()).kind, EventKind.RETAGGED)

    async def test_mistakes(self) -> None:
        """Before anything is opened, and by name."""
        cases: List[Any] = [
            (dict(bind="x"), "not an address"), (dict(bind="1.2.3.4:7", name="\n"), "name"),
            (dict(bind="1.2.3.4:7", tags={"a=b": ""}), "key"), (dict(bind="1.2.3.4:7", key="x"), "key"),
            (dict(bind="1.2.3.4:7", fanout=0), "fanout"), (dict(bind="1.2.3.4:7", key="ab" * 32, envelope=7), "envelope"),
            (dict(bind="1.2.3.4:7", advertise="0.0.0.0:7"), "addr")]
        for options, word in cases:
            with self.assertRaisesRegex(ValueError, word):
                Member(**options)
        with self.assertRaisesRegex(TypeError, "fannout"):
            Member("127.0.0.1:0", fannout=3)
        for bind, kind in (("192.0.2.1:7000", OSError), ("0.0.0.0:0", ValueError)):
            with self.assertRaises(kind):
                await Member(bind).start()
        with self.assertRaises(OSError):
            await Member("127.0.0.1:0", ["no-such-host.invalid:7000"]).start()
        with self.assertRaises(ValueError):
            await Member("127.0.0.1:0", ["nonsense"]).start()
        with self.assertRaises(RuntimeError):
            Member("127.0.0.1:0").members()


@unittest.skipUnless(SWIMD, "SWIMD names no swimd")
class WithSwimd(AsyncCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="swim-python-")
        self.addCleanup(shutil.rmtree, self.folder)

    def spawn(self, *command: str, output: Optional[int] = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        """A process that ends with the test."""
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process: "subprocess.Popen[str]") -> None:
        """By its own id."""
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    async def play(self, *arguments: str, **options: Any) -> None:
        """Three of ours and a swimd: they meet, swimd leaves, another one is killed."""
        ports = [free_port(), free_port()]
        async with Member("127.0.0.1:0", [f"127.0.0.1:{ports[0]}"], **options) as first, \
                Member("127.0.0.1:0", [str(first.addr)], **options) as second, \
                Member("127.0.0.1:0", [str(second.addr)], **options) as third:
            daemons = [self.spawn(SWIMD, "--bind", f"127.0.0.1:{port}", "--metrics-port", "0",
                                  "--peers", str(third.addr), *arguments) for port in ports]
            members = [first, second, third]
            await self.await_all_alive(members, 5)
            events = [m.events() for m in members]
            daemons[0].send_signal(signal.SIGTERM)
            daemons[1].send_signal(signal.SIGKILL)
            for reader in events:
                await self.event(reader, EventKind.LEFT, f"127.0.0.1:{ports[0]}")
                await self.event(reader, EventKind.FAILED, f"127.0.0.1:{ports[1]}", DETECTED_WITHIN)
            daemons[0].wait(5 * FACTOR)
            self.assertEqual(daemons[0].returncode, 0)

    async def test_plain(self) -> None:
        """Without a key."""
        await self.play()

    async def test_sealed(self) -> None:
        """With swimd's key file; envelope 1 too."""
        path = os.path.join(self.folder, "key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write("# ours\n" + subprocess.run([SWIMD, "--generate-key"], text=True, check=True,
                                                   stdout=subprocess.PIPE).stdout)
        await self.play("--cluster-key-file", path, key=swim.read_keys(path))

    async def lines(self, process: "subprocess.Popen[str]") -> AsyncIterator[str]:
        """What it prints, as it comes."""
        assert process.stdout is not None
        while True:
            line = await asyncio.to_thread(process.stdout.readline)
            if not line:
                return
            yield line.strip()

    async def test_readme(self) -> None:
        """The 20 lines of README.md, as a process: they meet a swimd, see it die, and leave."""
        with open(os.path.join(PACKAGE, "README.md"), encoding="utf-8") as page:
            program = re.findall(r"```python\n(.*?)```", page.read(), re.S)[0]
        self.assertLessEqual(len([line for line in program.splitlines() if line.strip()]), 20)
        path = os.path.join(self.folder, "program.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        port = free_port()
        daemon = self.spawn(SWIMD, "--bind", f"127.0.0.1:{port}", "--metrics-port", "0")
        for ending in (signal.SIGTERM, signal.SIGINT):
            process = self.spawn(sys.executable, path, "127.0.0.1:0", f"127.0.0.1:{port}",
                                 output=subprocess.PIPE)

            async def met(process: "subprocess.Popen[str]") -> str:
                async for line in self.lines(process):
                    if line.startswith(f"JOINED 127.0.0.1:{port} ALIVE"):
                        return line
                return ""
            self.assertTrue(await asyncio.wait_for(met(process), 10 * FACTOR))
            process.send_signal(ending)
            out, _ = await asyncio.wait_for(asyncio.to_thread(process.communicate), 15 * FACTOR)
            self.assertEqual(process.returncode, 0, out)
            self.assertIn("LEAVE_DONE", out)
            self.assertNotIn("Traceback", out)
        self.assertIsNone(daemon.poll())


if __name__ == "__main__":
    unittest.main()
