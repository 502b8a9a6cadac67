"""Dump of a PostgreSQL database, while servers may use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import itemgetter

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
    WorkflowRecord,
)
from wfx.store.dump_rows import job_record, typed
from wfx.store.dump_rule_records import ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord
from wfx.store.postgres import reference_rows
from wfx.store.postgres.blocking import BlockingConnection, one_state
from wfx.store.postgres.checking import require_current
from wfx.store.postgres.rows import Row, stored_of
from wfx.store.postgres.sealed_rows import DUMPED_TASK, ENTRY, EVENT, JOB, Columns, opened_row, sealing_of
from wfx.store.postgres.statements import SQL

_FIRST = itemgetter(0)


@contextmanager
def dump(option: str, sealing: Sealing | None = None) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of the database. Raises StoreUnusable, also while the records are read.

    Sealed values are opened with the keys.
    """
    with one_state(option, sealing) as connection:
        if reference_rows.is_theirs(connection):
            yield reference_rows.read_all(connection)
            return
        require_current(connection)
        yield _header(connection), _records(connection)


def _header(connection: BlockingConnection) -> Header:
    rows = connection.fetch(SQL["dump_header"]) or [()]
    (header,) = typed("the table", rows, lambda row: Header(*row), lambda _: "log")
    return header


def _records(connection: BlockingConnection) -> Iterator[Record]:
    workflows: dict[int, Workflow] = {}
    rows = connection.rows
    yield from typed("workflow", rows(SQL["dump_workflows"]), partial(_workflow, workflows), _FIRST)
    yield from typed("job", _jobs(connection), partial(_job, workflows), _id_of)
    yield from typed("event", _opened(connection, EVENT, _events(connection)), _event, _FIRST)
    yield from typed("consumer", rows(SQL["consumers"]), lambda row: ConsumerRecord(*row), _FIRST)
    yield from typed("device", rows(SQL["dump_devices"]), _device, _FIRST)
    yield from typed("task", _opened(connection, DUMPED_TASK, rows(SQL["dump_tasks"])), _task, _FIRST)
    yield from typed("score", rows(SQL["dump_scores"]), lambda row: ScoreRecord(*row), _FIRST)
    yield from typed("sequence", rows(SQL["dump_sequences"]), lambda row: SequenceRecord(*row), _FIRST)
    yield from typed("script", rows(SQL["dump_scripts"]), _script, _FIRST)


def _workflow(workflows: dict[int, Workflow], row: Row) -> WorkflowRecord:
    number, created, deleted, text = row
    document = Json(text.encode())
    workflows[number] = Workflow.from_encoded(document, number)
    return WorkflowRecord(number, created, deleted, document)


def _jobs(connection: BlockingConnection) -> Iterator[tuple[Row, list[Row]]]:
    """Yield rows of jobs, each with those of its history."""
    sealing = sealing_of(connection.plain)
    for numbers in connection.groups(SQL["sizes_of_jobs"]):
        entries: dict[int, list[Row]] = {number: [] for number in numbers}
        for entry in connection.fetch(SQL["dump_histories"], numbers):
            entries[entry[0]].append(opened_row(sealing, ENTRY, entry))
        for row in connection.fetch(SQL["dump_jobs"], numbers):
            yield opened_row(sealing, JOB, row), entries.pop(row[0])


def _opened(connection: BlockingConnection, columns: Columns, rows: Iterable[Row]) -> Iterator[Row]:
    sealing = sealing_of(connection.plain)
    return (opened_row(sealing, columns, row) for row in rows)


def _events(connection: BlockingConnection) -> Iterator[Row]:
    for numbers in connection.groups(SQL["sizes_of_events"]):
        yield from connection.fetch(SQL["dump_events"], numbers)


def _job(workflows: Mapping[int, Workflow], rows: tuple[Row, list[Row]]) -> JobRecord:
    stored = stored_of(rows[0], workflows)
    return job_record(stored.job, map(_entry, rows[1]), stored.history_dropped)


def _entry(row: Row) -> EntryRecord:
    _, version, mtime, status, definition, *_ = row
    return EntryRecord(version, mtime, Json(status.encode()), _encoded(definition))


def _event(row: Row) -> EventRecord:
    seq, ctime, action, job_id, client_id, workflow, payload, before, cause = row
    document = Json(payload.encode())
    return EventRecord(seq, ctime, action, job_id, client_id, workflow, document, before, _encoded(cause))


def _device(row: Row) -> DeviceRecord:
    client_id, first_seen, last_seen, version, unclaimed, description = row
    return DeviceRecord(client_id, first_seen, last_seen, version, unclaimed, Json(description.encode()))


def _task(row: Row) -> TaskRecord:
    key, kind, state, due, attempts, ctime, mtime, document, result, cause = row
    return TaskRecord(
        key, kind, state, due, attempts, ctime, mtime, Json(document.encode()), _encoded(result), Json(cause.encode())
    )


def _script(row: Row) -> ScriptRecord:
    name, sha256, ctime, is_current, findings, source = row
    return ScriptRecord(name, sha256, ctime, is_current, Json(findings.encode()), source)


def _encoded(text: str | None) -> Json | None:
    return None if text is None else Json(text.encode())


def _id_of(rows: tuple[Row, list[Row]]) -> object:
    return rows[0][1]
