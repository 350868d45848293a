"""Cluster membership by SWIM gossip: libswim for Python.

`Member` runs in asyncio. `Core` is the member without socket and clock, for other loops and for
tests in virtual time; `Seal` protects its datagrams.
"""
from ._abi import (Drop, EventKind, KeyProblem, MetaProblem, Order, SealDrop, Status,
                   SWIM_DATAGRAM_MAX as DATAGRAM_MAX, SWIM_RECEIVE_MAX as RECEIVE_MAX)
from ._library import core as _lib
from .core import MS, SETTINGS, Address, Core, Event, MemberInfo, now
from .member import Events, EventsMissed, Member
from .seal import Opened, Seal, generate_key, read_keys

#: The version of the library that was loaded.
__version__: str = _lib.swim_version().decode()

__all__ = [
    "DATAGRAM_MAX", "MS", "RECEIVE_MAX", "SETTINGS", "Address", "Core", "Drop", "Event", "EventKind",
    "Events", "EventsMissed", "KeyProblem", "Member", "MemberInfo", "MetaProblem", "Opened", "Order",
    "Seal", "SealDrop", "Status", "generate_key", "now", "read_keys",
]
