"""Opening a SQLite database, or saying why not."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import aiosqlite

from wfx.domain.errors import StoreError, StoreUnusable
from wfx.store.plan import Clock
from wfx.store.sqlite import dsn, file
from wfx.store.sqlite.batch import Position
from wfx.store.sqlite.connection import connect, inside
from wfx.store.sqlite.migrate import check_owner, migrate, migrations
from wfx.store.sqlite.store import Connections, SqliteStore

_log = logging.getLogger(__name__)

_OLDEST_LIBRARY = (3, 35, 0)
"""The first SQLite library with everything that the statements use."""


async def open_sqlite(option: str, clock: Clock) -> SqliteStore:
    """Open the database that the option names (see :mod:`wfx.store.sqlite.dsn`), and make or upgrade its tables.

    Raises StoreUnusable, naming the file and what to do.
    """
    require_library(sqlite3.sqlite_version_info)
    location = dsn.parse(option)
    for warning in location.warnings:
        _log.warning("storage option %s", warning)
    name = "in memory" if location.path is None else str(location.path)
    async with AsyncExitStack() as stack:
        claim = None if location.path is None else _claim(location.path, location, stack)
        try:
            write = await _connect(location, stack)
            position = await inside(write, partial(_prepare, name=name, in_memory=location.path is None))
            shared = location.path is None
            point = write if shared else await _connect(location, stack)
            query = write if shared else await _connect(location, stack)
        except (sqlite3.Error, StoreError) as exc:
            if isinstance(exc, StoreUnusable):
                raise
            raise StoreUnusable(f"cannot use the database {name}: {exc}; repair it or choose another file") from exc
        store = SqliteStore(location, Connections(write, point, query), claim, position, clock)
        stack.pop_all()
    return store


def require_library(version: tuple[int, int, int]) -> None:
    """Raise StoreUnusable for a SQLite library that is too old."""
    if version < _OLDEST_LIBRARY:
        present, needed = (".".join(map(str, v)) for v in (version, _OLDEST_LIBRARY))
        raise StoreUnusable(f"the SQLite library is version {present}, but at least {needed} is needed; upgrade it")


def _claim(path: Path, location: dsn.Location, stack: AsyncExitStack) -> int:
    claim = file.claim(path, may_create=location.may_create)
    stack.callback(os.close, claim)
    return claim


async def _connect(location: dsn.Location, stack: AsyncExitStack) -> aiosqlite.Connection:
    connection = await connect(location)
    stack.push_async_callback(connection.close)
    return connection


def _prepare(connection: sqlite3.Connection, name: str, *, in_memory: bool) -> Position:
    # First whose file it is, only then anything that writes to it.
    steps = migrations()
    check_owner(connection, name)
    journal = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if journal != "wal" and not in_memory:
        raise StoreUnusable(f"the file system of {name} cannot hold a write-ahead log; put the file on a local disk")
    migrate(connection, steps, name)
    return Position.read(connection)
