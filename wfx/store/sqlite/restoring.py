"""Import of records into a new database; an interrupted one goes on where it was.

It is written beside its place, with ``.importing`` added to its name, and gets its name when it is whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from secrets import token_hex

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.dump import Header, Record, SourceRefused
from wfx.store.findings import Progress
from wfx.store.import_progress import RecordDigest, contradiction
from wfx.store.new_files import publish
from wfx.store.sqlite import key_record
from wfx.store.sqlite.checking import check
from wfx.store.sqlite.file import claim
from wfx.store.sqlite.migrate import migrate, migrations
from wfx.store.sqlite.record_writer import RecordWriter
from wfx.store.sqlite.sealed_rows import sealing_of, writing_connection
from wfx.store.sqlite.statements import SQL

_TOGETHER = 2000
"""Records in a transaction."""
_CACHE = 65536
"""KiB of pages in memory: rows of indexes go to all places of the file."""
_PROGRESS = """
CREATE TABLE import_progress (header TEXT NOT NULL, records INTEGER NOT NULL, digest TEXT NOT NULL)
"""


class _Discarded(Exception):
    """What was written is of no use, and was removed; why."""


def restore(
    path: Path, header: Header, records: Iterable[Record], progress: Progress, sealing: Sealing | None = None
) -> None:
    """Make the database of these records; those that an interrupted import of the same has written are only read.

    Values are sealed with these keys.

    Its log has a new identity. Raises StoreUnusable if the file is there, cannot be written or would not be sound, and
    ValueError, naming it, for a record that cannot be.
    """
    _require_new(path)
    partial = path.parent / f"{path.name}.importing"
    try:
        with _claimed(partial, header):
            _write(partial, header, records, progress, sealing)
            _require_new(path)
            publish(partial, path)
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnusable(f"cannot write {partial}: {exc}; the import goes on there when it is called again") from exc


def _require_new(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreUnusable(f"{path} exists; an import makes a new file: name another, or move this one away")
    for ending in ("-wal", "-journal"):
        if os.path.lexists(former := path.with_name(path.name + ending)):
            raise StoreUnusable(f"{former} exists, which SQLite would take for a part of {path}; move it away")


@contextmanager
def _claimed(path: Path, header: Header) -> Iterator[None]:
    """Take a file that is empty, or has the first records of a dump with this header; nobody else may write to it."""
    descriptor = _claim_for(path, header)
    try:
        yield
    except _Discarded as exc:
        _remove(path)
        raise StoreUnusable(f"{path}: {exc}") from exc
    except sqlite3.IntegrityError as exc:
        _remove(path)
        raise ValueError(f"a record is there twice, or refers to none: {exc}") from exc
    except (ValueError, SourceRefused):  # no import has such a record
        _remove(path)
        raise
    finally:
        os.close(descriptor)


def _claim_for(path: Path, header: Header) -> int:
    descriptor = claim(path, may_create=True)
    try:
        if _header_of(path) in (None, repr(header)):
            return descriptor
        _remove(path)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return claim(path, may_create=True)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _header_of(path: Path) -> str | None:
    """Return what the import was of that has begun in this file; None if it is empty."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                return None
            found: str = connection.execute("SELECT header FROM import_progress").fetchone()[0]
    except sqlite3.DatabaseError as exc:
        if exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
            raise
        raise StoreUnusable(f"{path} exists, but is not the beginning of an import ({exc}); move it away") from exc
    return found


def _write(path: Path, header: Header, records: Iterable[Record], progress: Progress, sealing: Sealing | None) -> None:
    with closing(writing_connection(path, sealing)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        _begin(connection, header, path)
        _write_records(connection, header, records, progress)
        _require_sound(path, progress, sealing)
        # Whoever reads the file meanwhile would keep the rest of it in another one, which is not renamed.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("DROP TABLE import_progress")


def _begin(connection: sqlite3.Connection, header: Header, path: Path) -> None:
    """Make what is not there of the tables; what is being imported is noted first."""
    if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        with _transaction(connection):
            connection.execute(_PROGRESS)
            connection.execute("INSERT INTO import_progress VALUES (?, 0, '')", (repr(header),))
    (present,) = connection.execute("PRAGMA user_version").fetchone()
    migrate(connection, migrations(), present)
    used = key_record.read(connection)
    used.require(sealing_of(connection), str(path))
    key_record.note(connection, used, sealing_of(connection))
    connection.execute(SQL["set_horizon"], (header.horizon,))
    connection.execute(SQL["set_log_id"], (token_hex(16),))


def _write_records(
    connection: sqlite3.Connection, header: Header, records: Iterable[Record], progress: Progress
) -> None:
    written, known = connection.execute("SELECT records, digest FROM import_progress").fetchone()
    writer, digest = RecordWriter(connection, header), RecordDigest()
    remaining, done = digest.over(records), 0
    for record in islice(remaining, written):
        writer.skip(record)
        done += 1
    if written and digest.value != known:
        raise _Discarded("what another import has left was not of these records, and was removed; call this one again")
    before = None
    while done != before:
        before = done
        with _transaction(connection):
            for record in islice(remaining, _TOGETHER):
                writer.write(record)
                done += 1
            connection.execute("UPDATE import_progress SET records = ?, digest = ?", (done, digest.value))
        progress("records", done, header.records)


def _require_sound(path: Path, progress: Progress, sealing: Sealing | None) -> None:
    """Let the check of databases look for what no single record shows."""
    if (reason := contradiction(check(path, progress, sealing))) is not None:
        raise _Discarded(reason)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()
