"""Parser of ``--storage-opt`` for SQLite (server section 8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing

_SYNCHRONOUS = {"0": "OFF", "1": "NORMAL", "2": "FULL", "3": "EXTRA"}
_DURABLE = ("FULL", "EXTRA")
_OTHER_DATABASE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_OTHER_SYNTAX = re.compile(r"[^/]*@(?:tcp|unix)\(|\w+=\S*\s+\w+=")
"""Data sources of MySQL and of libpq, which would otherwise be the name of a file with a password in it."""
_TRUE = ("1", "ON", "TRUE", "YES")


@dataclass(slots=True)
class Location:
    """What a data source name says."""

    path: Path | None = None
    """The file; None for a database in memory."""
    may_create: bool = True
    """Whether a missing file is made."""
    busy_timeout: int = 5000
    """Milliseconds to wait for a lock that another program holds."""
    synchronous: str = "FULL"
    sealing: Sealing | None = None
    """Keys that values are sealed with; None if all are plain."""
    warnings: list[str] = field(default_factory=list)
    """What the operator should know about parameters that do not do what they say, or do harm."""


def parse(option: str) -> Location:
    """Read a path, ``:memory:`` or a ``file:`` URI, with parameters after ``?``.

    Raises StoreUnusable, which never repeats the option: any part of it may be a password.
    """
    name, _, query = option.partition("?")
    location = Location()
    for key, value in parse_qsl(query, keep_blank_values=True):
        _PARAMETERS.get(key, _unknown)(location, key, value)
    memory = ("mode", "memory") in parse_qsl(query)
    name = _path_of_uri(name) if name.startswith("file:") else name
    if memory or name == ":memory:":
        return location
    if not name:
        raise StoreUnusable("the storage option names no database file; write wfx.db or file:wfx.db, for example")
    if other := _OTHER_DATABASE.match(name):
        advice = "; give --storage postgres with it" if other[0] in ("postgres://", "postgresql://") else ""
        raise StoreUnusable(f"the storage option begins with {other[0]}, which names no file of SQLite{advice}")
    if _OTHER_SYNTAX.match(name):
        raise StoreUnusable("the storage option is the data source of another database, not a file of SQLite")
    location.path = Path(name)
    return location


def file_of(option: str, purpose: str) -> Path:
    """Return the file that the option names. Raises StoreUnusable where there is none to be used for this purpose."""
    path = parse(option).path
    if path is None:
        raise StoreUnusable(
            "the storage option means a database in memory: it is in its server alone, and ends with it; "
            f"{purpose} needs a file"
        )
    return path


def _path_of_uri(name: str) -> str:
    path = name.removeprefix("file:").partition("#")[0]
    if path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        if authority not in ("", "localhost"):
            raise StoreUnusable("the storage option names a file on another host; write file:///directory/wfx.db")
        path = slash + path
    return unquote(path)


def _mode(location: Location, key: str, value: str) -> None:
    if value == "ro":
        raise StoreUnusable("the storage option has mode=ro, but the database must be writable; use mode=rwc")
    if value not in ("rw", "rwc", "memory"):
        raise _bad(key, value, "one of rw, rwc, memory")
    location.may_create = value != "rw"


def _busy_timeout(location: Location, key: str, value: str) -> None:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9):
        raise _bad(key, value, "a number of milliseconds")
    location.busy_timeout = int(value)


def _synchronous(location: Location, key: str, value: str) -> None:
    level = _SYNCHRONOUS.get(value, value.upper())
    if level not in _SYNCHRONOUS.values():
        raise _bad(key, value, "one of OFF, NORMAL, FULL, EXTRA")
    location.synchronous = level
    if level not in _DURABLE:
        location.warnings.append(f"{_assignment(key, value)}: acknowledged changes may be lost when the power fails")


def _journal(location: Location, key: str, value: str) -> None:
    if value.upper() != "WAL":
        location.warnings.append(f"{_assignment(key, value)} is not supported: the journal is a write-ahead log (WAL)")


def _foreign_keys(location: Location, key: str, value: str) -> None:
    if value.upper() not in _TRUE:
        location.warnings.append(f"{_assignment(key, value)} is not supported: foreign keys are always enforced")


def _accepted(location: Location, key: str, value: str) -> None:
    """Ignore what has no bearing here: the cache is private to this server, and every transaction is immediate."""


def _unknown(location: Location, key: str, _value: str) -> None:
    location.warnings.append(f"parameter {key} is unknown, and ignored")  # its value may be a password


def _assignment(key: str, value: str) -> str:
    """Return a parameter for a message; its value only if that is one word, to which no password can be joined."""
    return f"{key}={value}" if re.fullmatch(r"-?\w*", value) else key


def _bad(key: str, value: str, wanted: str) -> StoreUnusable:
    return StoreUnusable(f"the storage option has {_assignment(key, value)}, but {key} must be {wanted}")


_PARAMETERS: dict[str, Callable[[Location, str, str], None]] = {
    "mode": _mode,
    "cache": _accepted,
    "_fk": _foreign_keys,
    "_foreign_keys": _foreign_keys,
    "_journal": _journal,
    "_journal_mode": _journal,
    "_busy_timeout": _busy_timeout,
    "_timeout": _busy_timeout,
    "_sync": _synchronous,
    "_synchronous": _synchronous,
    "_txlock": _accepted,
}
