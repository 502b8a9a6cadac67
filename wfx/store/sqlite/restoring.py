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

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import decode
from wfx.store.directory_sync import sync_directory
from wfx.store.dump import ConsumerRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.dump_records import RecordReader
from wfx.store.findings import Progress
from wfx.store.history_bounds import size_of_entry
from wfx.store.sizes import size_of
from wfx.store.sqlite.file import claim
from wfx.store.sqlite.migrate import migrate, migrations
from wfx.store.sqlite.rows import HistoryRow, Row, entry_row, event_row, new_row, workflow_state_rows
from wfx.store.sqlite.statements import SQL, for_rows

_TOGETHER = 2000
"""Records in a transaction."""
_PROGRESS = """
CREATE TABLE import_progress (header TEXT NOT NULL, records INTEGER NOT NULL)
"""
_INSERT_WORKFLOW = "INSERT INTO workflow (number, name, deleted, document, created) VALUES (?, ?, ?, ?, ?)"
_INSERT_JOB = """
INSERT INTO job (number, id, client_id, workflow_state, stime, mtime, version, definition_hash, tags, status, size,
                 history, history_bytes, history_dropped)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_CONSUMER = "INSERT INTO consumer (name, position, steps, lost) VALUES (?, ?, ?, ?)"


def restore(path: Path, header: Header, records: Iterable[Record], progress: Progress) -> None:
    """Make the database of these records; those that an interrupted import of the same has written are only read.

    A server that starts on it gives its log a new identity. Raises StoreUnusable if the file is there or cannot be
    written, and ValueError, naming it, for a record that cannot be.
    """
    if os.path.lexists(path):
        raise StoreUnusable(f"{path} exists; an import makes a new file: name another, or move this one away")
    partial = path.with_name(path.name + ".importing")
    try:
        with _begun(partial, header) as connection:
            _restore(connection, header, records, progress)
        partial.rename(path)
        sync_directory(path.parent)
    except sqlite3.IntegrityError as exc:
        raise ValueError(f"a record is there twice, or refers to none: {exc}") from exc
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnusable(f"cannot write {partial}: {exc}; the import goes on there when it is called again") from exc


@contextmanager
def _begun(path: Path, header: Header) -> Iterator[sqlite3.Connection]:
    """Open a database that has the tables, and perhaps the first of these records; nobody else may write to it."""
    descriptor = claim(path, may_create=True)
    try:
        if _header_of(path) != repr(header):
            os.close(descriptor)
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            descriptor = claim(path, may_create=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
    finally:
        os.close(descriptor)


def _header_of(path: Path) -> str | None:
    """Return what the import was of that has begun in this file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found: str = connection.execute("SELECT header FROM import_progress").fetchone()[0]
    except sqlite3.Error:  # it has not come so far
        return None
    return found


def _restore(connection: sqlite3.Connection, header: Header, records: Iterable[Record], progress: Progress) -> None:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'import_progress'").fetchone():
        migrate(connection, migrations(), 0)
        with _transaction(connection):
            connection.execute(_PROGRESS)
            connection.execute("INSERT INTO import_progress VALUES (?, 0)", (repr(header),))
            connection.execute(SQL["set_horizon"], (header.horizon,))
    (written,) = connection.execute("SELECT records FROM import_progress").fetchone()
    writer = _RecordWriter(connection, header)
    remaining, done = iter(records), 0
    for record in islice(remaining, written):
        writer.skip(record)
        done += 1
    before = None
    while done != before:
        before = done
        with _transaction(connection):
            for record in islice(remaining, _TOGETHER):
                writer.write(record)
                done += 1
            connection.execute("UPDATE import_progress SET records = ?", (done,))
        progress("records", done, header.records)
    with _transaction(connection):
        connection.execute("DROP TABLE import_progress")
        connection.execute(SQL["set_log_id"], ("",))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


class _RecordWriter:
    """Writes the rows of records; jobs and history entries are numbered as they come."""

    def __init__(self, connection: sqlite3.Connection, header: Header) -> None:
        self._connection = connection
        self._read = RecordReader(header)
        self._jobs, self._entries = connection.execute(
            "SELECT coalesce((SELECT max(number) FROM job), 0), coalesce((SELECT max(number) FROM history), 0)"
        ).fetchone()

    def skip(self, record: Record) -> None:
        """Take notice of a record that is written already."""
        if isinstance(record, WorkflowRecord):
            self._read.workflow(record)
        elif isinstance(record, EventRecord):
            self._read.event(record)

    def write(self, record: Record) -> None:
        """Write a record."""
        match record:
            case WorkflowRecord():
                self._write_workflow(record)
            case JobRecord():
                self._write_job(record)
            case EventRecord():
                for_rows(self._connection, "insert_events", [event_row(record.seq, self._read.event(record))])
            case ConsumerRecord():
                self._connection.execute(_INSERT_CONSUMER, record)

    def _write_workflow(self, record: WorkflowRecord) -> None:
        workflow = self._read.workflow(record)
        document = record.document.decode()
        row = (record.number, workflow.name, record.deleted, document, record.created)
        self._connection.execute(_INSERT_WORKFLOW, row)
        if record.deleted is None:
            for_rows(self._connection, "insert_workflow_states", workflow_state_rows(workflow))

    def _write_job(self, record: JobRecord) -> None:
        job, history = self._read.job(record)
        self._jobs += 1
        rows: list[Row] = []
        for version, entry in history:
            self._entries += 1
            earlier = self._entries - 1 if rows else None
            rows.append(entry_row(self._jobs, HistoryRow(self._entries, earlier, version, entry)))
        size = sum(size_of_entry(entry) for _, entry in history)
        newest = self._entries if rows else None
        row = (*new_row(self._jobs, job, size_of(job)), newest, size, record.history_dropped)
        self._connection.execute(_INSERT_JOB, row)
        for_rows(self._connection, "insert_history", rows)
        for_rows(self._connection, "insert_tags", [(tag, self._jobs) for tag in decode(job.tags)])
        if job.definition is not None:
            for_rows(self._connection, "put_definitions", [(self._jobs, job.definition.decode())])
