"""Import of a database of the reference implementation (rest-api section 15).

Its data is copied into a new file, which then takes the place of the old one; that stays beside it with ``.reference``
added to its name. Until the very last step, which is one rename, nothing has happened.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.protection.used_keys import UsedKeys
from wfx.store.dump import Header, Record, SourceRefused
from wfx.store.findings import UNREADABLE
from wfx.store.new_files import make
from wfx.store.reference_records import in_words, require_known
from wfx.store.sqlite import key_record
from wfx.store.sqlite.migrate import is_reference, migrate, migrations
from wfx.store.sqlite.record_writer import RecordWriter
from wfx.store.sqlite.reference_rows import read_all
from wfx.store.sqlite.sealed_rows import sealing_of, writing_connection
from wfx.store.sqlite.statements import SQL

_log = logging.getLogger(__name__)

_KNOWN = (20230404114557, 20231026152143, 20260331155900)
"""The versions of its schema; only the first has no descriptions of workflows, and the last adds an index."""


def take_over(path: Path, sealing: Sealing | None = None) -> bool:
    """Replace the file by one of ours if it is a database of the reference; tell whether it was.

    Its values are sealed with these keys.

    Raises StoreUnusable if it is, and is in use, damaged, or of a version that is not known; it is left as it was then.
    """
    if not is_theirs(path):
        return False
    _log.info("taking over the database of another implementation: %s", path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as theirs, _alone(theirs, path):
            _require_known(theirs, path)
            _replace(theirs, path, sealing)
    except sqlite3.Error as exc:
        raise _failure(path, exc) from exc
    return True


@contextmanager
def reading(path: Path) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of a database of the reference. Raises StoreUnusable."""
    try:
        with closing(_reader(path)) as theirs:
            theirs.execute("BEGIN")
            _require_known(theirs, path)
            header, records = read_all(theirs)
            yield header, _readable(path, records)
    except sqlite3.Error as exc:
        raise _unreadable(path, exc) from exc


def _readable(path: Path, records: Iterator[Record]) -> Iterator[Record]:
    """Yield the records. An error of reading is told of as such, also where others are being written meanwhile."""
    try:
        yield from records
    except sqlite3.Error as exc:
        raise _unreadable(path, exc) from exc
    except UNREADABLE as exc:
        raise SourceRefused(f"cannot read {path}, a database of another implementation: {in_words(exc)}") from exc


def _unreadable(path: Path, reason: Exception) -> StoreUnusable:
    return StoreUnusable(f"cannot read {path}, a database of another implementation: {reason}")


def is_theirs(path: Path) -> bool:
    """Tell whether the file is a database of the reference."""
    try:
        with closing(_reader(path)) as connection:
            return is_reference(connection)
    except sqlite3.Error:
        return False  # what is damaged is told of when it is opened


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


@contextmanager
def _alone(theirs: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Keep everybody else out, and bring everything into the one file."""
    try:
        theirs.execute("PRAGMA journal_mode = DELETE")
        theirs.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        if (exc.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY:
            raise
        raise StoreUnusable(f"the database file {path} is in use by another program; stop that one first") from exc
    try:
        yield
    finally:
        theirs.rollback()


def _require_known(theirs: sqlite3.Connection, path: Path) -> None:
    rows = theirs.execute("SELECT version, dirty FROM schema_migrations").fetchall()
    require_known(str(path), rows, _KNOWN, "; it was left as it is, choose another file")


def _replace(theirs: sqlite3.Connection, path: Path, sealing: Sealing | None) -> None:
    fresh, kept = (path.with_name(path.name + ending) for ending in (".upgrading", ".reference"))
    if kept.exists() and not kept.samefile(path):
        raise StoreUnusable(f"{path} is to be kept as {kept}, but that exists; move it away")
    fresh.unlink(missing_ok=True)
    try:
        make(fresh)
        with closing(writing_connection(fresh, sealing)) as ours:
            jobs = copy_all(theirs, ours)
        shutil.copymode(path, fresh)
        with suppress(PermissionError):
            os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        if not kept.exists():
            os.link(path, kept)
        fresh.replace(path)
    except (OSError, *UNREADABLE) as exc:
        raise _failure(path, exc) from exc
    finally:
        fresh.unlink(missing_ok=True)
    _log.info("took over %d jobs; the log of events starts again, and the old file is kept as %s", jobs, kept)


def copy_all(theirs: sqlite3.Connection, ours: sqlite3.Connection) -> int:
    """Make our tables and copy everything into them, within their transaction; return how many jobs there are.

    Raises ValueError, naming the job, for rows that make no sense.
    """
    migrate(ours, migrations(), 0)
    ours.execute("PRAGMA journal_mode = WAL")
    header, records = read_all(theirs)
    ours.execute("BEGIN")
    key_record.note(ours, UsedKeys(), sealing_of(ours))
    writer = RecordWriter(ours, header)
    for record in records:
        writer.write(record)
    ours.execute(SQL["set_horizon"], (header.horizon,))
    ours.execute("COMMIT")
    return header.jobs


def _failure(path: Path, exc: Exception) -> StoreUnusable:
    reason = in_words(exc) if isinstance(exc, UNREADABLE) else exc
    return StoreUnusable(
        f"cannot take over {path}, a database of another implementation: {reason}; it was left as it is"
    )
