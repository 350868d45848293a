"""The state folder, with real processes: who a node is over its restarts, whatever ends them.

SWIM_STATE_KILLS=1000 makes the test of kills that long; `make soak` does so.
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest

import swimtest
from swimtest import (  # noqa: F401
    GOSSIP, SUSPECT, CapablePeer, Node, SwimTestCase, entry, hold, load_tests, rng, run, wait_until)

KILLS = int(os.environ.get("SWIM_STATE_KILLS", "20"))
QUICK = """
[gossip]
interval_ms = 50
[probes]
interval_ms = 200
timeout_ms = 100
"""
# The calls on the way to the disk, and others before and after them: how many a life of a second
# makes of each.
CALLS = {"openat": 40, "flock": 3, "fchmod": 2, "ftruncate": 2, "write": 10, "fsync": 4, "rename": 2,
         "close": 40}


def can_trace():
    try:
        traced = subprocess.run(["strace", "-o", "/dev/null", "-e", "trace=fsync", "true"],
                                capture_output=True, check=False)
    except OSError:
        return False
    return traced.returncode == 0


class Traced(Node):
    """A node whose run ends by SIGKILL as it makes its n-th call of a kind, or after a while."""

    kill_at = ("fsync", 1)

    def command(self):
        call, number = self.kill_at
        return ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
                "-e", f"inject={call}:signal=KILL:when={number}", *super().command()]

    def traced_pid(self):
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                      encoding="ascii") as children:
                return [int(pid) for pid in children.read().split()]
        except OSError:
            return []

    def end(self, seconds):
        """True when the injected signal has ended it; else it is killed after so long."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            pass
        for pid in self.traced_pid():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.wait(10)
        return False

    def kill(self):
        if self.is_running():
            self.end(0)


class StateCase(SwimTestCase):
    def folder(self, name):
        return os.path.join(self.directory, name)

    def config(self, name, text):
        path = self.folder(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def state(self, name):
        """The lines of a state, {word: [rest, ...]}."""
        lines = {}
        with open(os.path.join(self.folder(name), "state"), encoding="ascii") as file:
            for line in file:
                word, rest = line.rstrip("\n").split(" ", 1)
                lines.setdefault(word, []).append(rest)
        return lines

    def await_members(self, name, count):
        """Until the state on the disk has so many members."""
        def probe():
            try:
                found = self.state(name).get("member", [])
            except FileNotFoundError:
                return False, "no state"
            return len(found) == count, found
        wait_until(probe, 10, f"{name} remembers {count}")

    def events(self, observer, node_id):
        """[(kind, incarnation), ...] that the observer's log tells of this id."""
        found = []
        for line in observer.lines(f"id={node_id} "):
            told = re.search(r" member (\w+) .*incarnation=(\d+)", line)
            if told:
                found.append((told.group(1), int(told.group(2))))
        return found


class TestState(StateCase):
    side_by_side = True

    # ---- Who it is ----

    def test_a_restart_is_one_event(self):
        """Killed or stopped, it comes back as who it was, one incarnation or a few later."""
        peer = Node(self).await_http()
        node = Node(self, "--state-dir", self.folder("a"), peers=[peer]).await_http()
        wait_until(lambda: len(peer.live() or ()) == 2, 5, "both alive")
        own_id = node.self_id()
        self.await_members("a", 1)
        for number, end in enumerate((Node.kill, Node.terminate, Node.kill)):
            time_heard = time.monotonic() + 1.6 * swimtest.FACTOR  # three ticks of its clock
            wait_until(lambda: (peer.member(node.addr, "alive") or {}).get("heartbeat", 0) > 1, 10,
                       "its clock was heard", since=time_heard)
            before = node.member(node.addr, "alive")["incarnation"]
            told = len(self.events(peer, own_id))
            end(node)
            node.start().await_http()
            wait_until(lambda: (peer.member(node.addr, "alive") or {}).get("incarnation", 0) > before,
                       10, "it is back")
            self.assertEqual(node.self_id(), own_id)
            hold(lambda: len(peer.live() or ()) == 2, 1, "nobody else is there")
            new = [event for event in self.events(peer, own_id)[told:]
                   if event[0] not in ("left", "suspected")]
            self.assertEqual([kind for kind, _ in new], ["restarted"], f"round {number}: {new}")
            self.assertGreater(new[0][1], before)
            if end is Node.terminate:
                self.assertEqual(new[0][1], before + 1)  # an orderly end skips none
        self.assertEqual({n["id"] for n in peer.membership()}, {own_id, peer.self_id()})

    def test_three_meet_again_without_a_seed(self):
        """All are killed, the seed is elsewhere, and nobody is told of anybody, or of nobody there."""
        nodes = [Node(self, "--state-dir", self.folder("n0"))]
        nodes += [Node(self, "--state-dir", self.folder(f"n{i}"), peers=[nodes[0]])
                  for i in (1, 2)]
        for node in nodes:
            wait_until(lambda n=node: len(n.live() or ()) == 3, 10, "three are alive")
        ids = sorted(node.self_id() for node in nodes)
        for i in range(3):
            self.await_members(f"n{i}", 2)
        for node in nodes:
            node.kill()
        again = [Node(self, "--state-dir", self.folder("n0"))]
        again.append(Node(self, "--state-dir", self.folder("n1"), port=nodes[1].port,
                          peers=[nodes[0].addr]))
        again.append(Node(self, "--state-dir", self.folder("n2"), port=nodes[2].port))
        for node in again:
            wait_until(lambda n=node: len(n.live() or ()) == 3, 15, "three are alive again")
        self.assertEqual(sorted(node.self_id() for node in again), ids)
        for node in again:
            hold(lambda n=node: len(n.membership()) == 3, 0.5, "no ghosts")

    # ---- Before it is used ----

    def test_an_incarnation_is_on_the_disk_before_it_is_on_the_wire(self):
        """Made to refute, by ones and by leaps: what it says next is reserved when it is heard."""
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        peer = CapablePeer(self)
        peer.join(node)
        own_id = int(node.self_id())
        writes = node.counter("state_writes")
        claimed = 0
        for leap in (0, 0, 0, 0, 1000, 0, 70000, 0, 1 << 20):
            claimed += leap
            since = len(peer.got())
            peer.send(node, GOSSIP, entry(own_id, node.addr, SUSPECT, 9999, claimed))

            def is_refuted(datagram, above=claimed):
                return datagram.sender_id == own_id and datagram.incarnation > above
            answer = peer.await_datagram(None, 5, since, "a refutation", is_refuted)
            self.assertGreater(int(self.state("a")["incarnation"][0]), answer.incarnation + 1)
            claimed = answer.incarnation
        self.assertLess(node.counter("state_writes") - writes, 7, "reserved several at a time")
        # The last incarnation there is: it goes on under another id, and that is remembered.
        since = len(peer.got())
        peer.send(node, GOSSIP, entry(own_id, node.addr, SUSPECT, 9999, (1 << 32) - 1))
        answer = peer.await_datagram(None, 5, since, "another id",
                                     lambda datagram: datagram.sender_id != own_id)
        self.assertEqual(self.state("a")["id"], [str(answer.sender_id)])
        node.kill()
        node.start().await_http()
        self.assertEqual(int(node.self_id()), answer.sender_id)

    def test_a_liar_does_not_make_it_write_for_every_datagram(self):
        """Led on by leaps, each past all that is reserved, it soon writes once a second only."""
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        peer = CapablePeer(self)
        peer.join(node)
        own_id = int(node.self_id())
        writes, began, claimed = node.counter("state_writes"), time.monotonic(), 0
        for _ in range(60):
            claimed += 10000
            since = len(peer.got())
            peer.send(node, GOSSIP, entry(own_id, node.addr, SUSPECT, 9999, claimed))
            claimed = peer.await_datagram(
                None, 5, since, "a refutation",
                lambda datagram, above=claimed: datagram.incarnation > above).incarnation
        seconds = time.monotonic() - began
        self.assertLess(node.counter("state_writes") - writes, 12 + seconds)
        wait_until(lambda: int(self.state("a")["incarnation"][0]) > claimed + 1, 5, "it is reserved")

    # ---- When it is written ----

    def test_nothing_is_written_when_nothing_changes(self):
        peer = Node(self).await_http()
        node = Node(self, "--state-dir", self.folder("a"), peers=[peer]).await_http()
        self.await_members("a", 1)
        before = (os.stat(os.path.join(self.folder("a"), "state")).st_ino,
                  node.counter("state_writes"))
        self.assertEqual(before[1], 2)  # at the start, and when it had met the other one
        hold(lambda: (os.stat(os.path.join(self.folder("a"), "state")).st_ino,
                      node.counter("state_writes")) == before, 3, "not written")
        self.assertIn("swim_state_write_seconds_total", node.metrics())

    def test_a_disk_that_takes_nothing(self):
        """It goes on, says so once, counts, and saves when it can again."""
        peer = Node(self).await_http()
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        obstacle = os.path.join(self.folder("a"), "state.new")
        os.mkdir(obstacle)
        peer.kill()
        peer.peers = [node.addr]
        peer.start().await_http()
        wait_until(lambda: len(node.live() or ()) == 2, 5, "both alive")
        wait_until(lambda: node.counter("state_write_failures") > 1, 10, "tried again")
        self.assertEqual(len(node.lines("the state is not saved")), 1)
        os.rmdir(obstacle)
        self.await_members("a", 1)
        wait_until(lambda: len(node.lines("the state is saved again")) == 1, 5, "said so")
        self.assertEqual(node.metrics()["swim_state_write_failures_total"],
                         node.counter("state_write_failures"))

    def test_a_limit_of_the_size_of_files(self):
        """As a full disk: it is no reason to die."""
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        limits = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        Node(self, peers=[node]).await_http()
        wait_until(lambda: node.counter("state_write_failures") > 0, 10, "tried")
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, limits)
        self.await_members("a", 1)

    # ---- What is refused ----

    def test_a_state_that_is_no_good_is_set_aside(self):
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        first = node.self_id()
        path = os.path.join(self.folder("a"), "state")
        node.kill()
        with open(path, "r+b") as file:
            file.seek(20)
            file.write(b"x")
        node.start().await_http()
        second = node.self_id()
        self.assertNotEqual(second, first)
        warning = node.lines("warn", "set aside")
        self.assertEqual(len(warning), 1)
        self.assertIn(path + " ", warning[0])
        self.assertIn(path + ".damaged-1", warning[0])
        node.kill()
        node.arguments += ["--config", self.config("blue.toml", '[node]\ncluster = "blue"\n')]
        node.start().await_http()
        self.assertNotIn(node.self_id(), (first, second))
        self.assertTrue(node.lines("warn", "another cluster", path + ".foreign-1"))
        third = node.self_id()
        node.kill()
        node.start().await_http()
        self.assertEqual(node.self_id(), third)
        self.assertEqual(self.state("a")["cluster"], ["blue"])

    def expect_refused(self, code, folder, *words, flags=()):
        ended = run("--bind", "127.0.0.1:0", "--state-dir", folder, *flags)
        self.assertEqual(ended.returncode, code, ended.stderr)
        for word in words:
            self.assertIn(word, ended.stderr)
        self.assertEqual(len(ended.stderr.strip().splitlines()), 1)

    def test_folders_that_check_config_refuses(self):
        def refused(folder, *words):
            self.expect_refused(3, folder, folder, *words, flags=("--check-config",))
        flat = self.config("flat", "")
        refused(flat, "no folder")
        refused(self.folder("not/there"), "can't be made")
        named = self.config("named", f'[node]\nstate_dir = "{flat}"\n')
        done = run("--check-config", "--config", named)
        self.assertIn(f"{named}:2: [node] state_dir: the state folder {flat} is no folder",
                      done.stderr)
        flags = ("--check-config", "--config", named)  # the folder is the flag's, not the file's
        self.expect_refused(3, self.folder("not/there"), "swimd: the state folder", flags=flags)
        self.assertEqual(run("--check-config", "--state-dir", self.folder("a")).returncode, 0)
        self.assertFalse(os.path.exists(self.folder("a")), "nothing is made")
        os.mkdir(self.folder("a"))
        os.chmod(self.folder("a"), 0o777)
        refused(self.folder("a"), "chmod")

    def test_folders_that_are_refused(self):
        node = Node(self, "--state-dir", self.folder("a")).await_http()
        self.expect_refused(4, self.folder("a"), self.folder("a"), "another swimd")
        node.kill()
        flat = self.config("flat", "")
        self.expect_refused(3, flat, flat, "no folder")
        self.expect_refused(3, self.folder("not/there"), self.folder("not/there"), "can't be made")
        os.chmod(self.folder("a"), 0o777)
        self.expect_refused(3, self.folder("a"), "chmod")
        os.chmod(self.folder("a"), 0o700)
        os.unlink(os.path.join(self.folder("a"), "state"))
        os.mkdir(os.path.join(self.folder("a"), "state"))
        self.expect_refused(3, self.folder("a"), "can't be read", "state")
        self.expect_refused(2, "x" * 600, "--state-dir", "511")


class TestAlone(StateCase):
    @unittest.skipUnless(can_trace(), "strace can't trace here")
    def test_killed_again_and_again(self):
        """At calls on the way to the disk, and in between: the same id, ever higher incarnations,
        each life that was seen told as one restart."""
        quick = self.config("quick.toml", QUICK)
        peer = Node(self, "--config", quick).await_http()
        node = Traced(self, "--config", quick, "--state-dir", self.folder("a"), peers=[peer],
                      start=False)
        other = Node(self, "--config", quick, peers=[peer], start=False)
        injected = 0
        own_id = None
        for number in range(KILLS):
            call = rng.choice(list(CALLS))
            node.kill_at = (call, rng.randrange(1, CALLS[call] + 1))
            node.start()
            if number % 4 == 3:  # something to remember
                other.kill() if other.is_running() else other.start()
            injected += node.end(rng.uniform(0.2, 1.6) * max(1, swimtest.FACTOR / 2))
            path = os.path.join(self.folder("a"), "state")
            if own_id is None and os.path.exists(path):
                own_id = self.state("a")["id"][0]
            if own_id is not None:
                self.assertEqual(self.state("a")["id"], [own_id])
        print(f"{KILLS} kills, {injected} of them at a call")
        reserved = int(self.state("a")["incarnation"][0])
        node.kill_at = ("swapon", 1)  # never
        node.start()
        wait_until(lambda: (peer.member(node.addr, "alive") or {}).get("incarnation") == reserved, 10,
                   "it is back, at the incarnation that was reserved")
        told = self.events(peer, own_id)
        arrivals = [(k, i) for k, i in told if k in ("joined", "restarted", "updated", "recovered")]
        lives = [i for k, i in arrivals if k != "recovered"]
        self.assertEqual(lives, sorted(set(lives)), "incarnations grow")
        self.assertEqual([k for k, _ in arrivals if k == "joined"], ["joined"])
        self.assertGreater(len([k for k, _ in arrivals if k == "restarted"]), KILLS / 20)
        # However short: each begins with 16 incarnations of its own.
        begun = {k for k, i in arrivals[1:] if i % 16 == 0 and k != "recovered"}
        self.assertEqual(begun, {"restarted"}, arrivals)
        self.assertFalse(node.lines("set aside"))
        self.assertEqual([n["id"] for n in peer.membership() if n["addr"] == node.addr], [own_id])
        self.assertGreater(injected, KILLS / 5)
        print(f"{len(lives)} lives were seen")

    def test_the_folder_that_systemd_gives(self):
        folder = self.folder("given")
        os.environ["STATE_DIRECTORY"] = folder
        self.addCleanup(os.environ.pop, "STATE_DIRECTORY")
        node = Node(self).await_http()
        wait_until(lambda: os.path.exists(os.path.join(folder, "state")), 5, "it is used")
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(os.path.join(folder, "state")).st_mode & 0o777, 0o600)
        node.kill()
        shutil.rmtree(folder)
        Node(self, "--config", self.config("none.toml", '[node]\nstate_dir = ""\n')).await_http()
        self.assertFalse(os.path.exists(folder))


if __name__ == "__main__":
    swimtest.main()
