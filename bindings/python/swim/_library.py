"""Finds and loads the shared libraries, and refuses those of another version."""
import ctypes
import os
from typing import Any, Optional

from . import _abi

WANTED = (_abi.SWIM_VERSION_MAJOR, _abi.SWIM_VERSION_MINOR)


def _load(soname: str, variable: str, prefix: str) -> Any:
    path = os.environ.get(variable) or soname
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"swim: {path} can't be loaded ({error}); install libswim, or name the "
                          f"file in {variable}") from error
    for name, (result, arguments) in _abi.FUNCTIONS.items():
        if name.startswith("swim_seal_") or name.startswith("swim_key_"):
            if prefix != "seal":
                continue
        elif prefix == "seal":
            continue
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise ImportError(f"swim: {path} has no {name}: these bindings are for libswim "
                              f"{WANTED[0]}.{WANTED[1]}") from error
        function.restype, function.argtypes = result, arguments
    return library


def _check_version(library: Any) -> None:
    text = library.swim_version().decode()
    if tuple(int(part) for part in text.split(".")[:2]) != WANTED:
        raise ImportError(f"swim: these bindings are for libswim {WANTED[0]}.{WANTED[1]}, and the "
                          f"library is {text}; install the same version of both")


#: libswim.
core = _load("libswim.so.0", "SWIM_LIBRARY", "core")
_check_version(core)

_seal: Optional[Any] = None


def seal() -> Any:
    """libswim-seal, loaded when it is first needed: it brings libsodium."""
    global _seal  # pylint: disable=global-statement
    if _seal is None:
        _seal = _load("libswim-seal.so.0", "SWIM_SEAL_LIBRARY", "seal")
    return _seal
