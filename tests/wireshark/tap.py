"""Real datagrams without a capture's privileges: a relay that every member is reached through.

Each member binds to an address of its own and advertises one of the tap's. What arrives there is
written down and passed on to the member, from the tap's address of its sender: so members see each
other at their advertised addresses only, and nothing goes past the tap.
"""
import selectors
import socket
import struct
import threading
import time


def pcap(path, datagrams, cut=65535):
    """Writes [(seconds, source, destination, bytes)], addresses being (ip, port), as a capture of
    raw IP packets, of which it holds at most `cut` bytes each."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for seconds, source, destination, data in datagrams:
            packet = _packet(source, destination, data)
            out.write(struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6),
                                  min(cut, len(packet)), len(packet)) + packet[:cut])
    return path


def _packet(source, destination, data):
    udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0) + data
    if ":" in source[0]:
        ends = b"".join(socket.inet_pton(socket.AF_INET6, a[0]) for a in (source, destination))
        pseudo = ends + struct.pack(">II", len(udp), 17) + udp
        udp = udp[:6] + struct.pack(">H", _checksum(pseudo) or 0xffff) + udp[8:]
        return struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + ends + udp
    ends = b"".join(socket.inet_aton(a[0]) for a in (source, destination))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ends
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + udp


def _checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Tap:
    """`open()` gives an address to advertise; `connect()` says which member is behind it."""

    def __init__(self):
        self.recorded = []
        self.cut = set()  # ports of members whose datagrams are lost
        self._sockets = {}  # port of the tap's -> socket
        self._behind = {}  # port of the tap's -> the member's own port
        self._selector = selectors.DefaultSelector()
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def open(self):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.setblocking(False)
        end.bind(("127.0.0.1", 0))
        self._sockets[end.getsockname()[1]] = end
        self._selector.register(end, selectors.EVENT_READ)
        return end.getsockname()[1]

    def connect(self, port, member_port):
        self._behind[port] = member_port

    def close(self):
        self._running = False
        self._thread.join()
        for end in self._sockets.values():
            end.close()

    def _serve(self):
        while self._running:
            for key, _ in self._selector.select(0.05):
                try:
                    data, source = key.fileobj.recvfrom(65536)
                except OSError:
                    continue
                self._pass_on(key.fileobj.getsockname()[1], source[1], data)

    def _pass_on(self, to, source, data):
        came_from = [port for port, behind in self._behind.items() if behind == source]
        if not came_from or to not in self._behind:
            return
        self.recorded.append((time.time(), ("127.0.0.1", came_from[0]), ("127.0.0.1", to), data))
        if came_from[0] not in self.cut and to not in self.cut:
            self._sockets[came_from[0]].sendto(data, ("127.0.0.1", self._behind[to]))
