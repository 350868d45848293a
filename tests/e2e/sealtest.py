"""What the tests of sealed clusters share: keys and their files, members that probe fast, the control
socket, and a tap on the loopback interface (which takes root, or CAP_NET_RAW)."""

import hashlib
import http.client
import json
import os
import signal
import socket
import struct
import threading

import swimtest

FACTOR = swimtest.FACTOR
is_sanitized = swimtest.is_sanitized
# Many probes in little time, each with nearly all of it to be answered.
PROBES = f"""
[probes]
interval_ms = {int(150 * FACTOR)}
timeout_ms = {int(140 * FACTOR)}
"""
POLL_S = 0.05 * FACTOR  # a third of the interval
_low_bytes = set()


def key_id(key):
    """The id of a key, computed anew (docs/protocol.md section 3)."""
    return hashlib.blake2b(b"swim key id", key=bytes.fromhex(key), digest_size=32).hexdigest()[:8]


def draw_key():
    """A key whose id ends in a byte that no other's here does: that byte is on the wire."""
    while True:
        key = os.urandom(32).hex()
        if key_id(key)[6:] not in _low_bytes:
            _low_bytes.add(key_id(key)[6:])
            return key


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Tap:
    """Every UDP datagram on loopback from or to these ports, as (source, destination, bytes)."""

    LIMIT = 200000

    def __init__(self, test, ports):
        self.ports = set(ports)
        self.seen = []
        self.is_running = True
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("lo", 0x0003))
        self.socket.settimeout(0.1)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    @staticmethod
    def is_possible():
        try:
            socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003)).close()
            return True
        except (OSError, AttributeError):
            return False

    def _listen(self):
        while self.is_running:
            try:
                packet, address = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            # Each is seen going out and coming in; IPv4 and UDP only.
            if address[2] != socket.PACKET_OUTGOING or len(packet) < 28 or packet[0] >> 4 != 4:
                continue
            head = (packet[0] & 15) * 4
            if packet[9] != 17 or len(packet) < head + 8:
                continue
            source, destination = struct.unpack_from(">HH", packet, head)
            if len(self.seen) < self.LIMIT and {source, destination} & self.ports:
                self.seen.append((source, destination, packet[head + 8:]))

    def close(self):
        if self.is_running:
            self.is_running = False
            self.thread.join()
            self.socket.close()


class SealTestCase(swimtest.SwimTestCase):
    def key_file(self, name, *keys):
        """Written anew, all at once, as an operator should."""
        path = os.path.join(self.directory, name)
        with open(path + ".new", "w", encoding="ascii",
                  opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write("".join(f"{key}\n" for key in keys))
        os.rename(path + ".new", path)
        return path

    def configuration(self, name, text=""):
        return self.file(name, PROBES + text)

    def sealed_node(self, name, *keys, text="", cluster=None, **options):
        """A member with a configuration, a key file (if there are keys) and a control socket of its
        own; `text` goes into [security]."""
        number = len(self.nodes) + 1
        extra = f'[node]\ncluster = "{cluster}"\n' if cluster else ""
        files = f'[control]\nsocket = "{self.directory}/{number}.sock"\n'
        if keys:
            text = f'key_file = "{self.key_file(f"{number}.key", *keys)}"\n{text}'
        files += f"[security]\n{text}"
        config = self.configuration(f"{number}.toml", extra + files)
        node = self.node("--config", config, name=name, **options)
        node.config = config
        node.key_path = os.path.join(self.directory, f"{number}.key")
        node.control = os.path.join(self.directory, f"{number}.sock")
        return node

    def sealed_cluster(self, count, *keys, **options):
        nodes = []
        for number in range(count):
            nodes.append(self.sealed_node(f"node{number + 1}", *keys, peers=nodes[:2], **options))
        self.await_all_alive(nodes, 5)
        return nodes

    @staticmethod
    def ask(node, method, path, body=None):
        """A request on the control socket; (status, answer)."""
        connection = UnixConnection(node.control, 5 * FACTOR)
        try:
            connection.request(method, path, body and json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def change(self, node, verb, body):
        """A change of keys that must succeed, and be saved."""
        status, answer = self.ask(node, "POST", f"/keys/{verb}", body)
        self.assertEqual((status, answer.get("saved")), (200, True), answer)
        return [key["id"] for key in answer["keys"]]

    @staticmethod
    def await_reload(node, what="SIGHUP: reloaded"):
        before = len(node.lines(what))
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: (len(node.lines(what)) > before, node.log()[-500:]), 5,
                            f"{node.name} says: {what}")

    # Probing.

    @staticmethod
    def await_probes(nodes, count):
        """Every node's next `count` probes, and more, have been answered."""
        wanted = {n: n.counter("acks_recv") + count for n in nodes}

        def probe():
            lacking = {n.name: (n.counter("acks_recv"), w) for n, w in wanted.items()
                       if n.counter("acks_recv") < w}
            return not lacking, lacking

        # Seldom: to be asked all the time costs a sanitized member more than its probes do.
        swimtest.wait_until(probe, 5 + count, f"{count} more probes answered", interval=POLL_S)

    def assert_no_probe_lost(self, nodes):
        for node in nodes:
            lost = {name: node.counter(name)
                    for name in ("probe_direct_timeouts", "probe_failures", "socket_receive_overflows")}
            self.assertEqual(set(lost.values()), {0}, f"{node.name}: {lost}\n{node.log()[-2000:]}")
        self.assert_never_doubted(nodes, nodes)
