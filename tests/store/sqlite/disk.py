"""Disks that fail: SQLite on a file system of our own making, under the real store.

The module ``sqlite3`` cannot be given a file system, apsw's SQLite can. So a connection of apsw's is dressed up as one
of sqlite3's, as far as the store uses that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import aiosqlite
import apsw
import pytest

from wfx.store.sqlite import connection as connecting

_names = count()
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI


class Operation(NamedTuple):
    """One thing that was asked of the disk."""

    kind: str
    """open, write, sync, truncate or delete."""
    file: str
    offset: int = 0
    """For truncate: the new size."""
    data: bytes = b""


class Disk(apsw.VFS):
    """A file system that reports what changes it to a function, which may raise instead of letting it happen."""

    def __init__(self, on_operation: Callable[[Operation], None]) -> None:
        """Stand on the real file system."""
        self.name = f"disk-{next(_names)}"
        super().__init__(self.name, "")
        self.on_operation = on_operation

    def xOpen(self, name: Any, flags: Any) -> File:  # noqa: N802 - the name is apsw's
        """Report and open."""
        self.on_operation(Operation("open", _text(name)))
        return File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's
        """Report and delete."""
        self.on_operation(Operation("delete", filename))
        super().xDelete(filename, syncdir)


class File(apsw.VFSFile):
    """A file on a :class:`Disk`."""

    def __init__(self, disk: Disk, name: Any, flags: Any) -> None:
        """Open it on the real file system."""
        super().__init__("", name, flags)
        self._disk = disk
        self._name = _text(name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's
        """Report and write."""
        self._disk.on_operation(Operation("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 - apsw's
        """Report, and leave it at that: the tests' files need not survive the machine."""
        self._disk.on_operation(Operation("sync", self._name))

    def xTruncate(self, size: int) -> None:  # noqa: N802 - apsw's
        """Report and truncate."""
        self._disk.on_operation(Operation("truncate", self._name, size))
        super().xTruncate(size)


def _text(name: Any) -> str:
    return str(name.filename()) if isinstance(name, apsw.URIFilename) else str(name)


class Rows:
    """A cursor with everything fetched."""

    def __init__(self, rows: Sequence[Any], lastrowid: int, rowcount: int) -> None:
        """Hold the rows."""
        self._rows = iter(rows)
        self.lastrowid = lastrowid
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        """Return the next row, if there is one."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)

    def close(self) -> None:
        """Let go of nothing: all was read."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""
        return self._rows


class Connection:
    """An apsw connection that looks like one of sqlite3's."""

    def __init__(self, path: str, disk: Disk) -> None:
        """Open the file on the disk."""
        with _as_sqlite3():
            self._connection = apsw.Connection(path, flags=_FLAGS, vfs=disk.name)
            self._connection.set_wal_hook(_checkpoint)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Execute and fetch."""
        with _as_sqlite3():
            rows = self._connection.execute(sql, values).fetchall()
        return Rows(rows, self._connection.last_insert_rowid(), self._connection.changes())

    def executescript(self, script: str) -> None:
        """Execute several statements."""
        self.execute(script)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def rollback(self) -> None:
        """End a transaction without effect."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Close; like sqlite3's, without a word about what fails in doing so."""
        with suppress(apsw.Error):
            self._connection.close()


def _checkpoint(connection: apsw.Connection, _: str, pages: int) -> int:
    """Copy the log into the file as SQLite does by itself: after a commit, and passing over errors; but more often."""
    with suppress(apsw.Error):
        if pages > 20:
            connection.wal_checkpoint()
    return apsw.SQLITE_OK


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as exc:
        error = sqlite3.OperationalError(str(exc))
        error.sqlite_errorcode = getattr(exc, "extendedresult", 0)
        raise error from exc


def put_under(monkeypatch: pytest.MonkeyPatch, disk: Disk) -> None:
    """Let every connection that the store opens from now on stand on the disk."""

    def connect(path: str, **_: Any) -> aiosqlite.Connection:
        return aiosqlite.Connection(lambda: cast("sqlite3.Connection", Connection(path, disk)), 64)

    monkeypatch.setattr(connecting, "aiosqlite", SimpleNamespace(connect=connect, Connection=aiosqlite.Connection))
