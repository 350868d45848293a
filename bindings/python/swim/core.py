"""The member itself, as in swim/swim.h: time and datagrams go in, datagrams and events come out.

Nothing here touches a socket or a clock: see `swim.Member` for that. Times are nanoseconds.
"""
import ctypes
import dataclasses
import ipaddress
import mmap
import secrets
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from . import _abi
from ._abi import Drop, EventKind, MetaProblem, Order, Status
from ._library import core as _lib

NEVER = _abi.SWIM_NEVER
MS = _abi.SWIM_MS


def now() -> int:
    """Nanoseconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Address(NamedTuple):
    """An IP address and a UDP port. IPv4 inside of IPv6 is IPv4."""
    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @classmethod
    def parse(cls, text: "Union[str, Address]") -> "Address":
        """Of "192.0.2.1:7000" or "[2001:db8::1]:7000"; ValueError for anything else."""
        if isinstance(text, Address):
            return text
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise ValueError(f"{text!r} is not an address and a port")
        if (host[:1] == "[") != (host[-1:] == "]") or (":" in host) != (host[:1] == "["):
            raise ValueError(f"{text!r}: write IPv6 addresses as [address]:port")
        return cls.of(host.strip("[]"), int(port))

    @classmethod
    def of(cls, host: str, port: int) -> "Address":
        """Of an address as sockets tell it."""
        ip = ipaddress.ip_address(host.partition("%")[0])
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return cls(str(mapped or ip), port)

    def _to_c(self) -> _abi.swim_addr:
        packed = ipaddress.ip_address(self.ip).packed
        addr = _abi.swim_addr(port=self.port, family=4 if len(packed) == 4 else 6)
        ctypes.memmove(addr.ip, packed, len(packed))
        return addr

    @classmethod
    def _from_c(cls, addr: _abi.swim_addr) -> "Address":
        packed = bytes(addr.ip)
        return cls(str(ipaddress.ip_address(packed[:4] if addr.family == 4 else packed)),
                   int(addr.port))


@dataclasses.dataclass(frozen=True)
class MemberInfo:
    """What one member knows of another, at one instant. `rtt` is the last round trip in seconds,
    None when none was measured; `name` and `tags` are empty when none are known."""
    id: int
    addr: Address
    status: Status
    incarnation: int
    heartbeat: int
    is_self: bool
    is_capable: bool
    is_proved: bool
    rtt: Optional[float]
    name: str
    tags: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to a member. `before` is its status last reported, `at` the time of
    the change in nanoseconds. `rtt` (seconds) is for PONG, None when no answer came; `paused_for`
    (nanoseconds) for PAUSED; `other` (an id) for NAME_CONFLICT."""
    kind: EventKind
    member: MemberInfo
    before: Status
    at: int
    rtt: Optional[float]
    paused_for: int
    other: int


def _meta_of(name: str, tags: Mapping[str, str]) -> _abi.swim_meta:
    meta = _abi.swim_meta()
    texts = [name, *tags, *tags.values()]
    if any("\0" in text for text in texts):
        raise ValueError("a name or tag with a zero character")
    problems = [_lib.swim_meta_init(ctypes.byref(meta), name.encode())]
    problems += [_lib.swim_meta_set(ctypes.byref(meta), key.encode(), value.encode())
                 for key, value in tags.items()]
    for problem in problems:
        if problem != MetaProblem.OK:
            raise ValueError(_lib.swim_meta_error_name(problem).decode())
    return meta


def _settings() -> Tuple[str, ...]:
    fields: List[Any] = list(_abi.swim_config._fields_)
    return tuple(field[0] for field in fields if field[0] not in ("addr", "secret", "cluster"))


#: Names of the settings that `Core` and `Member` take: those of struct swim_config.
SETTINGS = _settings()


def _config_of(addr: Address, cluster: str, settings: Mapping[str, int]) -> _abi.swim_config:
    config = _abi.swim_config()
    _lib.swim_config_default(ctypes.byref(config))
    config.id = secrets.randbits(64) or 1
    config.seed = secrets.randbits(64)
    ctypes.memmove(config.secret, secrets.token_bytes(16), 16)
    config.addr = addr._to_c()
    name = cluster.encode()
    if len(name) > _abi.SWIM_CLUSTER_MAX or b"\0" in name:
        raise ValueError(f"a cluster's name has at most {_abi.SWIM_CLUSTER_MAX} bytes")
    config.cluster = name
    for key, value in settings.items():
        if key not in SETTINGS:
            raise TypeError(f"no setting is named {key!r}; there are {', '.join(SETTINGS)}")
        setattr(config, key, value)
        if getattr(config, key) != value:
            raise ValueError(f"{key}={value} is out of its range")
    wrong = _lib.swim_config_check(ctypes.byref(config))
    if wrong is not None:
        raise ValueError(f"{wrong.decode()} is out of its range"
                         + (f": peers can't reach a member at {addr}" if wrong == b"addr" else ""))
    return config


class Core:
    """One member, sans-IO. After any call that takes `now`, empty `transmit` and `next_event`.

    `settings` are the fields of struct swim_config, such as `probe_interval_ms=500`; id and seed
    are drawn unless they are given. ValueError and TypeError say which is wrong. `now` may not run
    backwards: ValueError. For use by one thread at a time.
    """

    def __init__(self, addr: Union[str, Address], now: int, *, cluster: str = "",
                 **settings: int) -> None:
        config = _config_of(Address.parse(addr), cluster, settings)
        self._size: int = _lib.swim_footprint(ctypes.byref(config))
        # Fresh pages: zero, and not touched before they are used.
        self._arena = mmap.mmap(-1, self._size)
        self._now = now
        self._at = self._address()
        _lib.swim_init(self._at, self._size, ctypes.byref(config), now)
        self._buffer = ctypes.create_string_buffer(_abi.SWIM_DATAGRAM_MAX)

    def _address(self) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(self._arena))

    def copy(self) -> "Core":
        """A twin that goes on just as this one would: for looking at, never for speaking."""
        twin: Core = object.__new__(Core)
        twin._size, twin._now = self._size, self._now
        twin._arena = mmap.mmap(-1, self._size)
        twin._arena[:] = self._arena[:]
        twin._at = twin._address()
        twin._buffer = ctypes.create_string_buffer(_abi.SWIM_DATAGRAM_MAX)
        return twin

    def _tick(self, now: int) -> int:
        if now < self._now:
            raise ValueError(f"time runs backwards, from {self._now} to {now}")
        self._now = now
        return now

    # In.

    def receive(self, now: int, source: Address, data: bytes) -> Drop:
        """A datagram arrived; of any size and content."""
        return Drop(_lib.swim_receive(self._at, self._tick(now), ctypes.byref(source._to_c()), data,
                                      len(data)))

    def receive_unproved(self, now: int, source: Address, data: bytes) -> Drop:
        """The same for one that may be a repetition: see `Seal.open`."""
        return Drop(_lib.swim_receive_unproved(self._at, self._tick(now),
                                               ctypes.byref(source._to_c()), data, len(data)))

    def advance(self, now: int) -> None:
        """Time has passed: due at `deadline()`."""
        _lib.swim_advance(self._at, self._tick(now))

    def join(self, now: int, peer: Union[str, Address]) -> bool:
        """Meet others at this address, from now on. False: too many such addresses are held."""
        return bool(_lib.swim_join(self._at, self._tick(now),
                                   ctypes.byref(Address.parse(peer)._to_c())))

    def unjoin(self, peer: Union[str, Address]) -> None:
        """No longer."""
        _lib.swim_unjoin(self._at, ctypes.byref(Address.parse(peer)._to_c()))

    def leave(self, now: int) -> None:
        """Say goodbye; then go on until `has_left`."""
        _lib.swim_leave(self._at, self._tick(now))

    def force_leave(self, now: int, member_id: int, prune: bool = False) -> Order:
        """Declare a dead or suspect member to have left."""
        return Order(_lib.swim_force_leave(self._at, self._tick(now), member_id, prune))

    def ping(self, now: int, member_id: int) -> Order:
        """Measure a round trip; a PONG event tells it."""
        return Order(_lib.swim_ping(self._at, self._tick(now), member_id))

    def set_meta(self, now: int, name: str, tags: Mapping[str, str]) -> None:
        """This member's own name and tags, from now on. ValueError says what is wrong with them."""
        meta = _meta_of(name, tags)
        _lib.swim_set_meta(self._at, self._tick(now), ctypes.byref(meta))

    # Out.

    def transmit(self, now: int) -> Optional[Tuple[Address, bytes]]:
        """The next datagram to send, and to whom; None when there is none now."""
        to = _abi.swim_addr()
        size = _lib.swim_transmit(self._at, self._tick(now), ctypes.byref(to), self._buffer,
                                  _abi.SWIM_DATAGRAM_MAX)
        return (Address._from_c(to), self._buffer.raw[:size]) if size else None

    def next_event(self) -> Optional[Event]:
        """The oldest event that was not taken yet."""
        event = _abi.swim_event()
        if not _lib.swim_next_event(self._at, ctypes.byref(event)):
            return None
        return Event(EventKind(event.kind), self._info(event.member), Status(event.before), event.at,
                     event.rtt_ns / 1e9 if event.rtt_ns else None, event.paused_for, event.other)

    def deadline(self) -> Optional[int]:
        """When `advance` is wanted; None when only a datagram can change anything."""
        due: int = _lib.swim_deadline(self._at)
        return None if due == NEVER else due

    # State.

    @property
    def has_left(self) -> bool:
        """`leave` was called, and everything about it is done."""
        return bool(_lib.swim_has_left(self._at))

    def _info(self, m: _abi.swim_member) -> MemberInfo:
        name, tags = self.meta(m.id) or ("", {})
        return MemberInfo(m.id, Address._from_c(m.addr), Status(m.status), m.incarnation, m.heartbeat,
                          m.is_self, m.is_capable, m.is_proved,
                          m.rtt_ns / 1e9 if m.rtt_ns else None, name, tags)

    def meta(self, member_id: int) -> Optional[Tuple[str, Dict[str, str]]]:
        """Name and tags of a member, None when none are known."""
        meta, tag, tags = _abi.swim_meta(), _abi.swim_tag(), {}
        if not _lib.swim_member_meta(self._at, member_id, ctypes.byref(meta)):
            return None
        index = 0
        while _lib.swim_meta_tag(ctypes.byref(meta), index, ctypes.byref(tag)):
            tags[(tag.key or b"").decode()] = (tag.value or b"").decode()
            index += 1
        return meta.name.decode(), tags

    def members(self) -> List[MemberInfo]:
        """All that are known, this one first, the dead and those that left included."""
        found, m = [], _abi.swim_member()
        for slot in range(_lib.swim_member_slots(self._at)):
            if _lib.swim_member_at(self._at, slot, ctypes.byref(m)):
                found.append(self._info(m))
        return found

    def member(self, member_id: int) -> Optional[MemberInfo]:
        """One of them."""
        m = _abi.swim_member()
        found = _lib.swim_member_find(self._at, member_id, ctypes.byref(m))
        return self._info(m) if found else None

    def member_named(self, name: str) -> Optional[MemberInfo]:
        """A live member of this name."""
        m = _abi.swim_member()
        found = _lib.swim_member_find_name(self._at, name.encode(), ctypes.byref(m))
        return self._info(m) if found else None

    def count(self, status: Status) -> int:
        """How many members have this status, this one included."""
        return int(_lib.swim_member_count(self._at, status))

    def view_digest(self) -> int:
        """Equal on two members exactly when they hold the same live members."""
        return int(_lib.swim_view_digest(self._at))

    def stats(self) -> Dict[str, Any]:
        """Every counter and gauge of struct swim_stats; histograms are lists."""
        stats = _abi.swim_stats()
        _lib.swim_stats(self._at, ctypes.byref(stats))
        fields: List[Any] = list(_abi.swim_stats._fields_)
        values = {field[0]: getattr(stats, field[0]) for field in fields}
        return {key: value if isinstance(value, int) else list(value)
                for key, value in values.items()}

    def check(self) -> Optional[str]:
        """The invariant that is broken, None when all hold. For tests."""
        broken = _lib.swim_check(self._at)
        return None if broken is None else broken.decode()
