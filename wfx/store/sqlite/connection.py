"""Connections, transactions, and translation of SQLite errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import aiosqlite

from wfx.domain.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreUnavailable, WfxError
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.sealed_rows import SealingConnection


def translate(error: sqlite3.Error) -> StoreError:
    """Say in the domain's words what went wrong."""
    # The low byte is the kind of error, the rest a detail of it; errors that the module itself raises carry no code.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return StoreFull(f"the database is full: {error}")
    if kind in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(f"the database failed: {error}")
    if kind in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusy(f"somebody else holds a lock on the database: {error}")
    return StoreUnavailable(f"the database failed: {error}")


Result = TypeVar("Result")

_CACHED_STATEMENTS = 512
"""Statements over many rows exist once per number of rows."""


async def connect(location: Location) -> aiosqlite.Connection:
    """Open the database and set the connection up. Raises StoreUnavailable.

    Transactions are begun and ended by hand (``isolation_level=None``), so nothing commits behind our back.
    """
    # Never made here: a file that is missing now was taken away since the start.
    database = ":memory:" if location.path is None else f"{location.path.as_uri()}?mode=rw"
    try:
        connection = await aiosqlite.connect(
            database,
            uri=True,
            timeout=location.busy_timeout / 1000,
            isolation_level=None,
            cached_statements=_CACHED_STATEMENTS,
            factory=sqlite3.Connection if location.sealing is None else SealingConnection,
        )
    except sqlite3.Error as exc:
        raise translate(exc) from exc
    try:
        await inside(connection, lambda plain: _set_up(plain, location))
    except BaseException:
        await connection.close()
        raise
    return connection


def _set_up(plain: sqlite3.Connection, location: Location) -> None:
    plain.execute("PRAGMA foreign_keys = ON")
    plain.execute(f"PRAGMA synchronous = {location.synchronous}")
    plain.execute("PRAGMA cache_size = -32768")
    # A statement over many rows notes how to undo itself; without this, in a file that is made and removed each time.
    plain.execute("PRAGMA temp_store = MEMORY")
    # Copy the write-ahead log into the database every 4 MB. Writers wait for it: in a large store nearly every page of
    # the log goes to another place, and 16 MB took up to 0.9 s (spec/decisions/0016-small-checkpoints.md).
    plain.execute("PRAGMA wal_autocheckpoint = 1000")
    # A log that grew while a reader held it back gives its room back at the next checkpoint.
    plain.execute("PRAGMA journal_size_limit = 67108864")
    if isinstance(plain, SealingConnection) and location.sealing is not None:
        plain.sealing = location.sealing
        # What is overwritten may have been plain.
        plain.execute("PRAGMA secure_delete = ON")


async def inside(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], Result]) -> Result:
    """Run a whole function inside the connection's thread: one way in and out for as many statements as it likes.

    aiosqlite's own methods take that way once per statement (about 0.1 ms each, and each waits for the interpreter lock
    when the loop is busy), which would be most of the cost of a transaction. Its private ``_execute`` is what these
    methods are made of; this is the only place that uses it, and aiosqlite is held below the next minor version for it.

    Raises StoreUnavailable or StoreFull for every sqlite3.Error, and whatever else the function raises.
    """
    try:
        plain = connection._conn  # noqa: SLF001 - see above
    except ValueError as exc:
        raise StoreUnavailable("the store is closed") from exc
    try:
        execute: Any = connection._execute  # noqa: SLF001 - see above
        return cast("Result", await execute(function, plain))
    except WfxError as exc:
        exc.__traceback__ = None  # it holds a frame of aiosqlite's that holds the exception: a cycle
        raise
    except sqlite3.Error as exc:
        raise translate(exc) from exc


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make what is done inside durable together. Raises sqlite3.Error, and then nothing has changed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise
