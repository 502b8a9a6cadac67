"""Opens a SQLite database."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from secrets import token_hex

import aiosqlite

from wfx.domain.errors import StoreError, StoreLost, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.sqlite import dsn, file, key_record
from wfx.store.sqlite.backend import Connections, SqliteBackend
from wfx.store.sqlite.backup import how_to_restore
from wfx.store.sqlite.connection import connect, inside
from wfx.store.sqlite.file_guard import FileGuard
from wfx.store.sqlite.migrate import migrate, migrations, version_of
from wfx.store.sqlite.reference import take_over
from wfx.store.sqlite.rows import Position
from wfx.store.sqlite.statements import SQL

_log = logging.getLogger(__name__)

_OLDEST_LIBRARY = (3, 38, 0)
"""The first SQLite library with everything that the statements use."""
_SMALL = 2048
"""Pages of a database that are checked at every start; that takes up to a tenth of a second."""


async def open_backend(option: str, sealing: Sealing | None = None) -> SqliteBackend:
    """Open the database that the option names (see :mod:`wfx.store.sqlite.dsn`), and make or upgrade its tables.

    Values are sealed and opened by these keys.

    Raises StoreUnusable, naming the file and what to do.
    """
    require_library(sqlite3.sqlite_version_info)
    location = dsn.parse(option)
    location.sealing = sealing
    for warning in location.warnings:
        _log.warning("storage option %s", warning)
    if location.path is not None:
        # The writer may have to open it again, wherever the process works by then.
        location.path = location.path.absolute()
    name = "in memory" if location.path is None else str(location.path)
    async with AsyncExitStack() as stack:
        if location.path is not None:
            descriptor = await asyncio.to_thread(_claim, location.path, sealing, may_create=location.may_create)
            stack.callback(os.close, descriptor)
        file_guard = FileGuard()
        stack.callback(file_guard.close)
        try:
            write = await _connect(location, stack)
            position = await inside(write, partial(_prepare, location=location, name=name))
            shared = location.path is None
            point = write if shared else await _connect(location, stack)
            query = write if shared else await _connect(location, stack)
            count = write if shared else await _connect(location, stack)
            if location.path is not None:
                file_guard.remember(location.path, descriptor)
        except StoreUnusable:
            raise
        except StoreLost as exc:
            raise StoreUnusable(str(exc)) from exc
        except StoreError as exc:
            raise StoreUnusable(f"cannot use the database {name}: {exc}; {_advice(location)}") from exc
        connections = Connections(write, point, query, count, file_guard)
        return SqliteBackend(location, connections, position, stack.pop_all())


def require_library(version: tuple[int, int, int]) -> None:
    """Raise StoreUnusable for a SQLite library that is too old."""
    if version < _OLDEST_LIBRARY:
        present, needed = (".".join(map(str, v)) for v in (version, _OLDEST_LIBRARY))
        raise StoreUnusable(f"the SQLite library is version {present}, but at least {needed} is needed; upgrade it")


def _claim(path: Path, sealing: Sealing | None, *, may_create: bool) -> int:
    """Take the file for this process; if it is the reference's, it becomes ours first, which may take minutes."""
    descriptor = file.claim(path, may_create=may_create)
    try:
        taken_over = take_over(path, sealing)
    except BaseException:
        os.close(descriptor)
        raise
    if not taken_over:
        return descriptor
    os.close(descriptor)
    return file.claim(path, may_create=False)


async def _connect(location: dsn.Location, stack: AsyncExitStack) -> aiosqlite.Connection:
    connection = await connect(location)
    stack.push_async_callback(connection.close)
    # From its first read on a connection has the log open, so that it stays when another one closes.
    await inside(connection, lambda plain: plain.execute("PRAGMA user_version").fetchone())
    return connection


def _prepare(connection: sqlite3.Connection, location: dsn.Location, name: str) -> Position:
    # First whose file it is, only then anything that writes to it.
    steps = migrations()
    present = version_of(connection, steps, name)
    used = key_record.read(connection)
    used.require(location.sealing, name)
    journal = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if journal != "wal" and location.path is not None:
        raise StoreUnusable(f"the file system of {name} cannot hold a write-ahead log; put the file on a local disk")
    migrate(connection, steps, present)
    finding = _damage(connection)
    if finding != "ok":
        raise StoreUnusable(f"the database {name} is damaged ({finding}); {_advice(location)}")
    key_record.note(connection, used, location.sealing)
    connection.execute(SQL["give_log_id"], (token_hex(16),))
    connection.execute(SQL["end_claims"])  # whoever had them had the file, and is gone
    return Position.read(connection)


def _damage(connection: sqlite3.Connection) -> str:
    """Find damage before it is served. A large database would take minutes: there it is found where it is met."""
    if connection.execute("PRAGMA page_count").fetchone()[0] > _SMALL:
        return "ok"
    finding: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return finding.splitlines()[-1]  # the lines before it say which database


def _advice(location: dsn.Location) -> str:
    other = "choose another file"
    return other if location.path is None else f"{how_to_restore(location.path)}, or {other}"
