"""A member in asyncio: the socket, the clock and the timer around `Core`."""
import asyncio
import collections
import socket
import weakref
from types import TracebackType
from typing import Any, Deque, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from . import core as _core
from ._abi import Drop, EventKind, Order, SealDrop, Status
from .core import Address, Core, Event, MemberInfo
from .seal import Key, Seal

#: Events held for a reader that is slow; beyond that `EventsMissed` is raised to it.
EVENTS_MAX = 4096
#: Bytes that wait in asyncio because the kernel does not take them; beyond that they are lost.
WAITING_MAX = 1 << 20


class EventsMissed(Exception):
    """A reader of events was too slow, and some are lost to it. It may go on reading; the list of
    members is right all the time."""


class Events:
    """An asynchronous iterator of events, from when it was made. Ends when the member has left."""

    def __init__(self) -> None:
        self._queue: Deque[Event] = collections.deque()
        self._has_missed = False
        self._is_closed = False
        self._waker: Optional["asyncio.Future[None]"] = None

    def __aiter__(self) -> "Events":
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._has_missed:
                self._has_missed = False
                raise EventsMissed(f"more than {EVENTS_MAX} events were not read in time")
            if self._queue:
                return self._queue.popleft()
            if self._is_closed:
                raise StopAsyncIteration
            if self._waker is None or self._waker.done():
                self._waker = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waker)

    def _add(self, event: Event) -> None:
        if len(self._queue) == EVENTS_MAX:
            self._queue.clear()
            self._has_missed = True
        self._queue.append(event)
        self._wake()

    def _close(self) -> None:
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)


class _Protocol(asyncio.DatagramProtocol):
    """What asyncio calls."""

    def __init__(self, member: "Member") -> None:
        self._member = member

    def datagram_received(self, data: bytes, addr: Tuple[Any, ...]) -> None:
        self._member._receive(data, Address.of(addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """Concerns one datagram, which is lost, as datagrams are."""


class Member:
    """A member of a cluster, for as long as the `async with` block runs; it leaves at its end.

        async with Member(bind="127.0.0.1:7000", peers=["127.0.0.1:7001"]) as member:
            async for event in member.events():
                print(event.kind.name, event.member.addr)

    bind       where to listen: "192.0.2.1:7000", "[2001:db8::1]:7000"; port 0: any
    peers      where to meet others: addresses, or host names, which are resolved once
    advertise  where others reach this member, if it listens on a wildcard or behind NAT
    name, tags what it says of itself; `set_meta` changes them
    key        a key (32 bytes, or 64 hex digits) or several: datagrams are sealed with the first
    envelope   1 only among plain version-1 members that hold the key
    cluster    a name that keeps clusters apart
    settings   fields of struct swim_config, such as probe_interval_ms=500

    ValueError and TypeError say what is wrong with these, OSError that the address can't be bound.
    All of it belongs to one event loop.
    """

    def __init__(self, bind: str, peers: Sequence[str] = (), *, advertise: Optional[str] = None,
                 name: str = "", tags: Optional[Mapping[str, str]] = None,
                 key: Union[Key, Sequence[Key], None] = None, envelope: int = 2, cluster: str = "",
                 **settings: int) -> None:
        self._bind = Address.parse(bind)
        self._advertise = Address.parse(advertise) if advertise is not None else None
        self._peers = tuple(peers)
        self._meta: Tuple[str, Dict[str, str]] = (name, dict(tags or {}))
        self._cluster, self._settings = cluster, settings
        _core._meta_of(*self._meta)
        _core._config_of(self._advertise or Address("127.0.0.1", 1), cluster, settings)
        self._seal: Optional[Seal] = None
        if key is not None:
            keys: Sequence[Key] = [key] if isinstance(key, (bytes, str)) else list(key)
            self._seal = Seal(keys, cluster=cluster, envelope=envelope)
        self._core: Optional[Core] = None
        self._transport: Any = None
        self._is_v6 = self._bind.ip.count(":") > 0
        self._timer: Optional[asyncio.TimerHandle] = None
        self._backlog: Optional[Events] = Events()
        self._readers: "weakref.WeakSet[Events]" = weakref.WeakSet()
        self._pings: Dict[int, List["asyncio.Future[Optional[float]]"]] = {}
        self._has_left = asyncio.Event()
        self._now = 0

    # Life.

    async def start(self) -> "Member":
        """Binds and begins to meet others. `async with` does it."""
        if self._core is not None:
            raise RuntimeError("a member starts once")
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Protocol(self), local_addr=(self._bind.ip, self._bind.port))
        try:
            bound = self._transport.get_extra_info("sockname")
            addr = self._advertise or Address.of(bound[0], bound[1])
            self._core = Core(addr, self._time(), cluster=self._cluster, **self._settings)
            if self._meta != ("", {}):
                self._core.set_meta(self._time(), *self._meta)
            for peer in self._peers:
                await self.join(peer)
        except BaseException:
            self.close()
            raise
        self._pump()
        return self

    def stop(self) -> None:
        """Begins to leave: from a signal handler, for instance. Readers of events end when it is
        done. Idempotent."""
        if self._core is not None and self._transport is not None:
            self._core.leave(self._time())
            self._pump()

    async def leave(self) -> None:
        """Leaves the cluster: others are told, and acknowledge it, or are given up on (after
        reliable_ack_timeout_ms * (reliable_max_retries + 1), 2 s by default)."""
        if self._transport is not None:
            self.stop()
            await self._has_left.wait()

    def close(self) -> None:
        """Ends at once. Without `leave`, others find out by themselves. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._seal is not None:
            self._seal.close()
        for futures in self._pings.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        self._pings.clear()
        self._has_left.set()
        for reader in list(self._readers):
            reader._close()
        if self._backlog is not None:
            self._backlog._close()

    async def __aenter__(self) -> "Member":
        return await self.start()

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        try:
            await self.leave()
        finally:
            self.close()

    # What it says of itself, and of others.

    @property
    def addr(self) -> Address:
        """Where others reach it."""
        return self.info.addr

    @property
    def id(self) -> int:
        """Its id."""
        return self.info.id

    @property
    def info(self) -> MemberInfo:
        """Itself, as in `members`."""
        return self._known().members()[0]

    def members(self, status: Optional[Status] = None) -> List[MemberInfo]:
        """All that are known, this one first: the dead and those that left too, for a while."""
        return [m for m in self._known().members() if status in (None, m.status)]

    def member(self, member_id: int) -> Optional[MemberInfo]:
        """One of them."""
        return self._known().member(member_id)

    def member_named(self, name: str) -> Optional[MemberInfo]:
        """A live member of this name."""
        return self._known().member_named(name)

    @property
    def stats(self) -> Dict[str, Any]:
        """Counters and gauges of struct swim_stats; with a key, those of the seal under "seal"."""
        stats = self._known().stats()
        if self._seal is not None and self._transport is not None:
            stats["seal"] = self._seal.stats()
        return stats

    def events(self) -> Events:
        """What happens from now on; for the first reader, from the start on."""
        reader, self._backlog = self._backlog or Events(), None
        if self._has_left.is_set():
            reader._close()
        self._readers.add(reader)
        return reader

    # What it is told to do.

    async def join(self, peer: str) -> None:
        """Meet others there too. OSError: the name does not resolve; ValueError: too many."""
        host, _, port = peer.rpartition(":")
        try:
            addresses = [Address.parse(peer)]
        except ValueError:
            if not port.isdigit() or not host or ":" in host:
                raise
            found = await asyncio.get_running_loop().getaddrinfo(
                host, int(port), type=socket.SOCK_DGRAM,
                family=socket.AF_UNSPEC if self._is_v6 else socket.AF_INET)
            addresses = [Address.of(str(row[4][0]), int(row[4][1])) for row in found]
        for address in addresses:
            if not self._running().join(self._time(), address):
                raise ValueError(f"{peer}: too many peers are held")
        self._pump()

    def set_meta(self, name: Optional[str] = None, tags: Optional[Mapping[str, str]] = None) -> None:
        """Another name, other tags (all of them); None: as they are."""
        meta = (self._meta[0] if name is None else name, dict(self._meta[1] if tags is None else tags))
        self._running().set_meta(self._time(), *meta)
        self._meta = meta
        self._pump()

    async def ping(self, member_id: int) -> Optional[float]:
        """Seconds of a round trip to a member, None when it does not answer in time. ValueError:
        that can't be asked."""
        order = self._running().ping(self._time(), member_id)
        if order != Order.DONE:
            raise ValueError(f"member {member_id}: {order.name.lower()}")
        future: "asyncio.Future[Optional[float]]" = asyncio.get_running_loop().create_future()
        self._pings.setdefault(member_id, []).append(future)
        self._pump()
        return await future

    def force_leave(self, member_id: int, prune: bool = False) -> None:
        """Declares a dead or suspect member to have left. ValueError: that can't be done."""
        order = self._running().force_leave(self._time(), member_id, prune)
        self._pump()
        if order != Order.DONE:
            raise ValueError(f"member {member_id}: {order.name.lower()}")

    # Inside.

    def _time(self) -> int:
        self._now = max(self._now, _core.now())
        return self._now

    def _known(self) -> Core:
        if self._core is None:
            raise RuntimeError("the member was not started")
        return self._core

    def _running(self) -> Core:
        if self._core is None or self._transport is None:
            raise RuntimeError("the member does not run")
        return self._core

    def _receive(self, data: bytes, source: Address) -> None:
        if self._core is None or self._transport is None:
            return
        if self._seal is None:
            self._core.receive(self._time(), source, data)
        else:
            opened = self._seal.open(data)
            if isinstance(opened, SealDrop):
                return
            if opened.is_fresh:
                self._core.receive(self._time(), source, opened.data)
            elif self._core.receive_unproved(self._time(), source, opened.data) == Drop.OK:
                self._seal.admit(opened)
        self._pump()

    def _send(self, to: Address, data: bytes) -> None:
        sealed = data if self._seal is None else self._seal.wrap(data)
        transport = self._transport
        if sealed is None or transport is None or transport.get_write_buffer_size() > WAITING_MAX:
            return
        ip = f"::ffff:{to.ip}" if self._is_v6 and ":" not in to.ip else to.ip
        if self._is_v6 == (":" in ip):
            transport.sendto(sealed, (ip, to.port))

    def _pump(self) -> None:
        """After anything was put in: what has come out, and when to come again."""
        core = self._core
        if core is None or self._transport is None:
            return
        datagram = core.transmit(self._time())
        while datagram is not None:
            self._send(*datagram)
            datagram = core.transmit(self._time())
        event = core.next_event()
        while event is not None:
            self._tell(event)
            event = core.next_event()
        if core.has_left:
            self.close()
            return
        if self._timer is not None:
            self._timer.cancel()
        due = core.deadline()
        if due is not None:
            delay = max(0, due - self._time()) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay, self._advance)

    def _advance(self) -> None:
        if self._core is not None:
            self._core.advance(self._time())
            self._pump()

    def _tell(self, event: Event) -> None:
        if event.kind == EventKind.PONG:
            for future in self._pings.pop(event.member.id, []):
                if not future.done():
                    future.set_result(event.rtt)
        for reader in list(self._readers):
            reader._add(event)
        if self._backlog is not None:
            self._backlog._add(event)
