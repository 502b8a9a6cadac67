"""Dump of a database, of ours or of the reference implementation, while a server may use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.store.dump import (
    ConsumerRecord,
    EntryRecord,
    EventRecord,
    Header,
    JobRecord,
    Record,
    WorkflowRecord,
    require_types,
)
from wfx.store.findings import UNREADABLE
from wfx.store.sqlite import reference
from wfx.store.sqlite.checking import reading, require_current, tidied, unreadable
from wfx.store.sqlite.rows import (
    ANY_SIZE,
    EVENT_COLUMNS,
    STORED_COLUMNS,
    Row,
    event_of,
    stored_of,
)
from wfx.store.sqlite.statements import SQL
from wfx.store.sqlite.workflow_cache import read

_WORKFLOWS = "SELECT number, created, deleted, document FROM workflow ORDER BY number"
_JOBS = f"SELECT {STORED_COLUMNS} FROM job LEFT JOIN definition ON definition.job = job.number ORDER BY number"  # noqa: S608
_EVENTS = f"SELECT {EVENT_COLUMNS} FROM event ORDER BY seq"  # noqa: S608 - constants
_ENTRIES = """
WITH RECURSIVE entry (number, earlier) AS (
    SELECT number, earlier FROM history WHERE number = ?
    UNION
    SELECT history.number, history.earlier FROM entry JOIN history ON history.number = entry.earlier
)
SELECT version, mtime, CAST(status AS BLOB), CAST(definition AS BLOB) FROM entry CROSS JOIN history USING (number)
"""
_Shape = TypeVar("_Shape", bound=tuple[Any, ...])


@contextmanager
def dump(path: Path) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of the database.

    Raises StoreUnusable, also while the records are read, naming the row that cannot be.
    """
    if not path.is_file():
        raise StoreUnusable(f"there is no database file {path}")
    with tidied(path), _theirs(path) if reference.is_theirs(path) else _ours(path) as found:
        yield found


@contextmanager
def _theirs(path: Path) -> Iterator[tuple[Header, Iterator[Record]]]:
    with reference.reading(path) as (header, records):
        yield header, map(_typed, records)


@contextmanager
def _ours(path: Path) -> Iterator[tuple[Header, Iterator[Record]]]:
    with reading(path) as connection:
        require_current(connection, str(path))
        with closing(_readable(path, connection)) as records:
            yield _header(connection), records


def _header(connection: sqlite3.Connection) -> Header:
    tables = ("workflow", "job", "event", "consumer")
    with _naming("the table meta"):
        head, horizon, _, _, log_id = connection.execute(SQL["position"]).fetchone()
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608
        return _typed(Header(log_id, horizon, max(head, horizon), *counts))


def _readable(path: Path, connection: sqlite3.Connection) -> Generator[Record]:
    """Yield the records. An error of reading is told of as such, also where others are being written meanwhile."""
    try:
        yield from _records(connection)
    except sqlite3.Error as exc:
        raise unreadable(path, exc) from exc


def _records(connection: sqlite3.Connection) -> Iterator[Record]:
    workflows: dict[int, Workflow] = {}
    for number, created, deleted, document in connection.execute(_WORKFLOWS):
        with _naming(f"workflow {number}"):
            workflows[number] = read(number, document)
            yield _typed(WorkflowRecord(number, created, deleted, Json(document.encode())))
    for row in connection.execute(_JOBS, (ANY_SIZE,)):
        with _naming(f"job {row[1]}"):
            yield _typed(_job(connection, row, workflows))
    for row in connection.execute(_EVENTS):
        with _naming(f"event {row[0]}"):
            yield _typed(_event(row, workflows))
    for row in connection.execute(SQL["consumers"]):
        with _naming(f"consumer {row[0]}"):
            yield _typed(ConsumerRecord(*row))


def _typed(record: _Shape) -> _Shape:
    require_types(record)
    return record


@contextmanager
def _naming(row: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as exc:
        raise StoreUnusable(f"{row} cannot be read ({exc!r}); wfx check tells more") from exc


def _job(connection: sqlite3.Connection, row: Row, workflows: Mapping[int, Workflow]) -> JobRecord:
    stored = stored_of(row, workflows)
    job = stored.job
    entries = connection.execute(_ENTRIES, (stored.newest_entry,)).fetchall()
    return JobRecord(
        id=job.id, client_id=job.client_id, workflow=job.workflow.number, state=job.state, stime=job.stime,
        mtime=job.mtime, version=job.version, definition_hash=job.definition_hash, tags=job.tags, status=job.status,
        definition=job.definition, history=tuple(EntryRecord(*entry) for entry in reversed(entries)),
        history_dropped=stored.history_dropped,
    )  # fmt: skip


def _event(row: Row, workflows: Mapping[int, Workflow]) -> EventRecord:
    event = event_of(row, workflows)
    cause = None if event.encoded_cause is None else Json(event.encoded_cause.encode())
    return EventRecord(
        event.seq, event.ctime, str(event.action), event.job_id, event.client_id, event.workflow.number, event.payload,
        event.state_before, cause,
    )  # fmt: skip
