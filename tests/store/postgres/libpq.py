"""PostgreSQL's own reader of connection strings, which ours is held against."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass


class _Option(ctypes.Structure):
    _fields_ = [
        ("keyword", ctypes.c_char_p), ("envvar", ctypes.c_char_p), ("compiled", ctypes.c_char_p),
        ("val", ctypes.c_char_p), ("label", ctypes.c_char_p), ("dispchar", ctypes.c_char_p),
        ("dispsize", ctypes.c_int),
    ]  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A parameter as libpq has it."""

    variable: str | None
    value: str | None


_libpq = ctypes.CDLL("libpq.so.5")  # comes with Debian's package postgresql
for _name in ("PQconninfoParse", "PQconndefaults"):
    getattr(_libpq, _name).restype = ctypes.POINTER(_Option)
_libpq.PQconninfoParse.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)]
_libpq.PQconninfoFree.argtypes = [ctypes.POINTER(_Option)]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _table(options: ctypes._Pointer[_Option]) -> dict[str, Said]:
    found, at = {}, 0
    while (row := options[at]).keyword:
        found[row.keyword.decode()] = Said(_text(row.envvar), _text(row.val))
        at += 1
    _libpq.PQconninfoFree(options)
    return found


def parse(text: str) -> dict[str, str] | None:
    """Return what a connection string says; None if it is wrong."""
    message = ctypes.c_char_p()
    options = _libpq.PQconninfoParse(text.encode(), ctypes.byref(message))
    if not options:
        return None
    return {name: said.value for name, said in _table(options).items() if said.value is not None}


def defaults() -> dict[str, Said]:
    """Return all parameters, with what variables and service files of this process say."""
    options = _libpq.PQconndefaults()
    return _table(options) if options else {}
