"""Encrypted, authenticated datagrams, as in swim/seal.h."""
import ctypes
import dataclasses
import secrets
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from . import _abi, _library
from ._abi import KeyProblem, SealDrop

Key = Union[bytes, str]


def generate_key() -> bytes:
    """A fresh key of 32 random bytes."""
    return secrets.token_bytes(_abi.SWIM_KEY_SIZE)


def key_of(key: Key) -> bytes:
    """The bytes of a key that may be 64 hex digits; ValueError, which doesn't show it, if not."""
    if isinstance(key, str):
        try:
            key = bytes.fromhex(key)
        except ValueError:
            raise ValueError("a key is 32 bytes, or 64 hex digits") from None
    if len(key) != _abi.SWIM_KEY_SIZE:
        raise ValueError("a key is 32 bytes, or 64 hex digits")
    return key


def read_keys(path: str) -> List[bytes]:
    """The keys of a file like swimd's --cluster-key-file: one of 64 hex digits a line, "#" begins a
    comment. ValueError names the line that is none."""
    keys = []
    with open(path, encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            text = line.split("#")[0].strip()
            if text:
                try:
                    keys.append(key_of(text))
                except ValueError as error:
                    raise ValueError(f"{path}:{number}: {error}") from None
    if not keys:
        raise ValueError(f"{path}: no key in it")
    return keys


@dataclasses.dataclass(frozen=True)
class Opened:
    """A datagram that was in an envelope. Not fresh: it may be a repetition."""
    data: bytes
    is_fresh: bool
    sender: int
    key_id: int
    _c: Any = dataclasses.field(repr=False, compare=False)


class Seal:
    """Keys, and what was heard. The first key seals; all of them open."""

    def __init__(self, keys: Sequence[Key], *, cluster: str = "", envelope: int = 2,
                 start: Optional[int] = None, members_max: int = 16384) -> None:
        self._lib = _library.seal()
        if envelope not in (1, 2):
            raise ValueError("envelope is 1 or 2")
        if not keys:
            raise ValueError("no key")
        if len(cluster.encode()) > _abi.SWIM_CLUSTER_MAX:
            raise ValueError(f"a cluster's name has at most {_abi.SWIM_CLUSTER_MAX} bytes")
        if not _abi.SWIM_MEMBERS_MIN <= members_max <= _abi.SWIM_MEMBERS_MAX:
            raise ValueError("members_max is out of its range")
        begin = time.time_ns() // 1000000 if start is None else start
        if not 0 <= begin < _abi.SWIM_SEAL_START_MAX:
            raise ValueError("start is out of its range")
        config = _abi.swim_seal_config(envelope=envelope, cluster=cluster.encode(), start=begin,
                                       members_max=members_max)
        ctypes.memmove(config.entropy, secrets.token_bytes(32), 32)
        self._at: Optional[int] = self._lib.swim_seal_new(ctypes.byref(config))
        if self._at is None:
            raise MemoryError("libswim-seal can't start")
        self._out = ctypes.create_string_buffer(_abi.SWIM_SEALED_MAX)
        for key in keys:
            self.install(key)

    def close(self) -> None:
        """Wipes the keys. Nothing else may be called from here on."""
        if self._at is not None:
            self._lib.swim_seal_free(self._at)
            self._at = None

    def __del__(self) -> None:
        if getattr(self, "_at", None) is not None:
            self.close()

    def _instance(self) -> int:
        if self._at is None:
            raise ValueError("the seal is closed")
        return self._at

    def wrap(self, data: bytes) -> Optional[bytes]:
        """The envelope of a datagram of `Core.transmit`. None: nothing may be sent any more."""
        if not 24 <= len(data) <= _abi.SWIM_DATAGRAM_MAX:
            raise ValueError(f"a datagram of {len(data)} bytes")
        size = self._lib.swim_seal_wrap(self._instance(), data, len(data), self._out,
                                        _abi.SWIM_SEALED_MAX)
        return self._out.raw[:size] if size else None

    def open(self, data: bytes) -> Union[Opened, SealDrop]:
        """What is inside, or why it was dropped. What is fresh goes to `Core.receive`; what is not
        to `Core.receive_unproved`, and if that says OK, to `admit`."""
        buffer, opened = ctypes.create_string_buffer(max(1, len(data))), _abi.swim_seal_opened()
        error = self._lib.swim_seal_open(self._instance(), data, len(data), buffer, len(buffer),
                                         ctypes.byref(opened))
        if error != SealDrop.OK:
            return SealDrop(error)
        return Opened(buffer.raw[:opened.size], opened.is_fresh, opened.sender, opened.key_id, opened)

    def admit(self, opened: Opened) -> None:
        """Its sender has proved that it speaks now."""
        self._lib.swim_seal_admit(self._instance(), ctypes.byref(opened._c))

    # Keys.

    @staticmethod
    def key_id(key: Key) -> int:
        """A key's public name."""
        return int(_library.seal().swim_key_id(key_of(key)))

    def _demand(self, problem: int) -> None:
        if problem != KeyProblem.OK:
            raise ValueError(self._lib.swim_key_error_name(problem).decode())

    def install(self, key: Key) -> None:
        """From now on opens what this key has sealed."""
        self._demand(self._lib.swim_seal_key_install(self._instance(), key_of(key)))

    def use(self, key_id: int) -> None:
        """From now on seals with this key."""
        self._demand(self._lib.swim_seal_key_use(self._instance(), key_id))

    def remove(self, key_id: int) -> None:
        """From now on opens nothing that this key has sealed."""
        self._demand(self._lib.swim_seal_key_remove(self._instance(), key_id))

    def keys(self) -> Tuple[int, ...]:
        """Ids of the keys held, that which seals first."""
        ids = (ctypes.c_uint32 * _abi.SWIM_KEYS_MAX)()
        count = self._lib.swim_seal_keys(self._instance(), ids)
        return tuple(ids[:count])

    def stats(self) -> Dict[str, Any]:
        """Every counter of struct swim_seal_stats; `dropped` by reason."""
        stats = _abi.swim_seal_stats()
        self._lib.swim_seal_stats(self._instance(), ctypes.byref(stats))
        fields: List[Any] = list(_abi.swim_seal_stats._fields_)
        values = {field[0]: getattr(stats, field[0]) for field in fields if field[0] != "dropped"}
        return {**values, "dropped": {drop.name.lower(): stats.dropped[drop] for drop in SealDrop
                                      if drop != SealDrop.OK}}
