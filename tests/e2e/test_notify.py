#!/usr/bin/env python3
"""What a service manager hears: systemd's notification protocol, played by the test."""

import os
import signal
import socket
import struct
import time
import unittest

import swimtest
from swimtest import load_tests, wait_until  # noqa: F401


SO_TIMESTAMPNS = 35  # Linux: the kernel says when a datagram was sent, whenever it is read


class Manager:
    """A manager's socket, and what came to it: [(when it was sent, {name: value})]."""

    def __init__(self, test, address=None):
        self.address = address or os.path.join(test.directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address.replace("@", "\0"))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.messages = []
        test.addCleanup(self.socket.close)

    def environment(self, **more):
        return dict(os.environ, NOTIFY_SOCKET=self.address, **more)

    def read(self):
        while True:
            try:
                text, extras, _, _ = self.socket.recvmsg(65536, 256)
            except BlockingIOError:
                return self.messages
            seconds, nanoseconds = struct.unpack("qq", extras[0][2])
            pairs = dict(line.split("=", 1) for line in text.decode().split("\n"))
            self.messages.append((seconds + nanoseconds / 1e9, pairs))

    def said(self, name):
        """[value], in the order in which they came."""
        return [pairs[name] for _, pairs in self.read() if name in pairs]

    def times(self, name):
        return [at for at, pairs in self.read() if name in pairs]

    def names(self):
        """Names of life's messages, in order."""
        return [name for _, pairs in self.read() for name in pairs
                if name in ("READY", "RELOADING", "STOPPING")]

    def await_(self, name, count=1, seconds=5):
        wait_until(lambda: (len(self.said(name)) >= count, self.messages), seconds,
                   f"{count} × {name}", interval=0.005)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


class Notify(swimtest.SwimTestCase):
    side_by_side = True

    def supervised(self, manager, *arguments, watchdog_us=None, pid=None, peers=()):
        """A node of that manager's. `pid`: WATCHDOG_PID, when it is not the node's own."""
        node = swimtest.Node(self, *arguments, peers=peers, start=False)
        command = node.command()
        if watchdog_us is not None:
            # The manager knows the process id before it runs swimd; so does a shell that becomes it.
            value = "$$" if pid is None else str(pid)
            command = ["/bin/sh", "-c",
                       f'export WATCHDOG_PID={value} WATCHDOG_USEC={watchdog_us}; exec "$@"', "sh",
                       *command]
        with open(node.log_path, "ab") as log:
            node.process = swimtest.spawn(command, env=manager.environment(), stdout=log, stderr=log)
        return node

    def test_life(self):
        manager = Manager(self)
        config = self.file("swim.toml", "[log]\nlevel = \"info\"\n")
        node = self.supervised(manager, "--config", config)
        manager.await_("READY")
        # It serves by then: no waiting for HTTP.
        self.assertEqual(node.http("/healthz")[0], 200)
        manager.await_("STATUS")
        self.assertEqual(manager.said("STATUS"), ["1 alive, 0 suspect"])
        node.signal(signal.SIGHUP)
        manager.await_("READY", 2)
        self.assertTrue(node.lines("SIGHUP: reloaded"))
        (at,) = manager.said("MONOTONIC_USEC")
        self.assertLess(abs(time.monotonic() - int(at) / 1e6), 60)
        # A file with a mistake: it goes on as it was, and says so to the manager as well.
        self.file("swim.toml", "[log]\nlevel = \"loud\"\n")
        node.signal(signal.SIGHUP)
        manager.await_("READY", 3)
        node.terminate()
        self.assertEqual(manager.names(),
                         ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"])
        self.assertEqual(manager.said("EXTEND_TIMEOUT_USEC"), ["3000000"])
        self.assertEqual(manager.said("WATCHDOG"), [])
        # More than a second later there may be news: it is leaving.
        self.assertTrue(all("leaving" in status for status in manager.said("STATUS")[1:]))

    def test_abstract_socket(self):
        manager = Manager(self, f"@swim-e2e-{os.getpid()}-{swimtest.rng.randrange(1 << 32)}")
        node = self.supervised(manager)
        manager.await_("READY")
        node.terminate()
        manager.await_("STOPPING")

    def test_nothing_is_ready_that_cannot_start(self):
        manager = Manager(self)
        first = self.supervised(manager)
        manager.await_("READY")
        second = self.supervised(manager, "--bind", first.addr)
        self.assertEqual(second.wait(5)[0], 4)
        self.assertEqual(manager.names(), ["READY"])

    def test_status_follows_the_members(self):
        manager = Manager(self)
        node = self.supervised(manager)
        manager.await_("READY")
        others = [self.node(peers=[node]) for _ in range(2)]
        wait_until(lambda: (manager.said("STATUS")[-1:] == ["3 alive, 0 suspect"],
                            manager.said("STATUS")), 10, "three are alive")
        others[0].kill()
        wait_until(lambda: ("2 alive, 1 suspect" in manager.said("STATUS"),
                            manager.said("STATUS")), 10, "one is suspect")
        wait_until(lambda: (manager.said("STATUS")[-1:] == ["2 alive, 0 suspect, 1 dead"],
                            manager.said("STATUS")), 20, "one is dead")
        statuses, times = manager.said("STATUS"), manager.times("STATUS")
        self.assertTrue(all(a != b for a, b in zip(statuses, statuses[1:])), statuses)
        for earlier, later in zip(times, times[1:]):
            self.assertGreater(later - earlier, 0.8, "at most one a second")

    def test_watchdog_is_the_loop(self):
        manager = Manager(self)
        node = self.supervised(manager, watchdog_us=400000)
        manager.await_("WATCHDOG", 5)
        times = manager.times("WATCHDOG")
        self.assertGreater(times[-1] - times[0], 0.15 * 4, "at half the time, not more often")
        node.signal(signal.SIGSTOP)
        # What it said before it stopped arrives at once.
        wait_until(lambda: state_of(node.pid) == "T", 2, "it has stopped")
        before = len(manager.said("WATCHDOG"))
        time.sleep(1)  # more than twice the time after which systemd would end it
        self.assertEqual(len(manager.said("WATCHDOG")), before, "a stopped process is silent")
        node.signal(signal.SIGCONT)
        manager.await_("WATCHDOG", before + 2)
        node.terminate()

    def test_watchdog_of_another_process(self):
        manager = Manager(self)
        node = self.supervised(manager, watchdog_us=100000, pid=1)
        manager.await_("STATUS")
        time.sleep(0.5)
        self.assertEqual(manager.said("WATCHDOG"), [])
        node.terminate()

    def test_manager_that_is_gone(self):
        manager = Manager(self)
        manager.socket.close()
        os.unlink(manager.address)
        node = self.supervised(manager)
        node.await_http()
        wait_until(lambda: (node.lines("warn", "service manager"), node.log()), 5, "a warning")
        node.terminate()

    def test_socket_that_is_no_address(self):
        manager = Manager(self)
        manager.address = "somewhere"
        node = self.supervised(manager)
        node.await_http()
        self.assertEqual(len(node.lines("warn", "service manager")), 1)
        node.terminate()


if __name__ == "__main__":
    unittest.main()
