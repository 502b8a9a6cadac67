"""Dump of a database, of ours or of the reference implementation, while a server may use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.protection.sealing import Sealing
from wfx.store.dump import (
    ConsumerRecord,
    DeviceRecord,
    EntryRecord,
    EventRecord,
    Header,
    JobRecord,
    Record,
    SourceRefused,
    WorkflowRecord,
)
from wfx.store.dump_rows import job_record, typed
from wfx.store.dump_rule_records import ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord
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
from wfx.store.sqlite.sealed_tables import OpenedTables, open_tables
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
_DEVICES = """
SELECT client_id, first_seen, last_seen, version, unclaimed, CAST(description AS BLOB) FROM device ORDER BY client_id
"""
_TASKS = """
SELECT key, kind, state, due, attempts, ctime, mtime, CAST(input AS BLOB), CAST(result AS BLOB), CAST(cause AS BLOB)
FROM task ORDER BY id
"""
_SCORES = "SELECT key, actor_id, points, reason, ctime FROM score ORDER BY number"
_SEQUENCES = "SELECT name, value FROM sequence ORDER BY name"
_SCRIPTS = """
SELECT name, sha256, ctime, number IN (SELECT number FROM current_script), CAST(findings AS BLOB), source
FROM script ORDER BY number
"""
_FIRST = itemgetter(0)


@contextmanager
def dump(path: Path, sealing: Sealing | None = None) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of the database, in which all values are plain.

    Raises StoreUnusable, also while the records are read, naming the row that cannot be.
    """
    if not path.is_file():
        raise StoreUnusable(f"there is no database file {path}")
    with tidied(path), _theirs(path) if reference.is_theirs(path) else _ours(path, sealing) as found:
        yield found


@contextmanager
def _theirs(path: Path) -> Iterator[tuple[Header, Iterator[Record]]]:
    with reference.reading(path) as (header, records):
        yield header, records


@contextmanager
def _ours(path: Path, sealing: Sealing | None) -> Iterator[tuple[Header, Iterator[Record]]]:
    with reading(path) as connection:
        require_current(connection, str(path))
        tables = open_tables(connection, str(path), sealing, strict=True)
        with closing(_readable(path, connection, tables)) as records:
            yield _header(connection), records


def _header(connection: sqlite3.Connection) -> Header:
    tables = ("workflow", "job", "event", "consumer", "device", "task", "score", "sequence", "script")
    counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608
    (header,) = typed(
        "the table", connection.execute(SQL["position"]), lambda row: _header_of(row, counts), lambda _: "meta"
    )
    return header


def _header_of(row: Row, counts: Sequence[int]) -> Header:
    head, horizon, _, _, log_id = row
    return Header(log_id, horizon, max(head, horizon), *counts)


def _readable(path: Path, connection: sqlite3.Connection, tables: OpenedTables | None) -> Generator[Record]:
    """Yield the records. An error of reading is told of as such, also where others are being written meanwhile."""
    try:
        yield from _records(connection)
    except sqlite3.Error as exc:
        if tables is not None and tables.failure is not None:
            raise SourceRefused(f"{tables.failure}; wfx check tells more") from exc
        raise unreadable(path, exc) from exc


def _records(connection: sqlite3.Connection) -> Iterator[Record]:
    workflows: dict[int, Workflow] = {}
    yield from typed("workflow", connection.execute(_WORKFLOWS), partial(_workflow, workflows), _FIRST)
    make_job = partial(_job, connection, workflows)
    yield from typed("job", connection.execute(_JOBS, (ANY_SIZE,)), make_job, itemgetter(1))
    yield from typed("event", connection.execute(_EVENTS), partial(_event, workflows), _FIRST)
    yield from typed("consumer", connection.execute(SQL["consumers"]), lambda row: ConsumerRecord(*row), _FIRST)
    yield from typed("device", connection.execute(_DEVICES), _device, _FIRST)
    yield from typed("task", connection.execute(_TASKS), lambda row: TaskRecord(*row), _FIRST)
    yield from typed("score", connection.execute(_SCORES), lambda row: ScoreRecord(*row), _FIRST)
    yield from typed("sequence", connection.execute(_SEQUENCES), lambda row: SequenceRecord(*row), _FIRST)
    yield from typed("script", connection.execute(_SCRIPTS), _script, _FIRST)


def _workflow(workflows: dict[int, Workflow], row: Row) -> WorkflowRecord:
    number, created, deleted, document = row
    workflows[number] = read(number, document)
    return WorkflowRecord(number, created, deleted, Json(document.encode()))


def _job(connection: sqlite3.Connection, workflows: Mapping[int, Workflow], row: Row) -> JobRecord:
    stored = stored_of(row, workflows)
    entries = connection.execute(_ENTRIES, (stored.newest_entry,)).fetchall()
    return job_record(stored.job, (EntryRecord(*entry) for entry in reversed(entries)), stored.history_dropped)


def _device(row: Row) -> DeviceRecord:
    client_id, first_seen, last_seen, version, unclaimed, description = row
    is_unclaimed = {0: False, 1: True}[unclaimed]
    return DeviceRecord(client_id, first_seen, last_seen, version, is_unclaimed, Json(description))


def _script(row: Row) -> ScriptRecord:
    name, sha256, ctime, is_current, findings, source = row
    return ScriptRecord(name, sha256, ctime, bool(is_current), Json(findings), source)


def _event(workflows: Mapping[int, Workflow], row: Row) -> EventRecord:
    event = event_of(row, workflows)
    cause = None if event.encoded_cause is None else Json(event.encoded_cause.encode())
    return EventRecord(
        event.seq, event.ctime, str(event.action), event.job_id, event.client_id, event.workflow.number, event.payload,
        event.state_before, cause,
    )  # fmt: skip
