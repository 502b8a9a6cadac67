"""Conversion between table rows and domain objects."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from wfx.domain.finished import tombstone
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.plan import EventDraft
from wfx.store.sqlite.statements import SQL


class Position(NamedTuple):
    """What is durable, as numbers."""

    head: int
    horizon: int
    """The newest event that was pruned."""
    last_job: int
    """The highest number of a job."""
    last_entry: int
    """The highest number of a history entry."""
    log_id: str

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Position:
        """Take it from the tables."""
        head, horizon, last_job, last_entry, log_id = connection.execute(SQL["position"]).fetchone()
        # When everything was pruned, only the horizon remembers how far the numbers had come.
        return cls(max(head, horizon), horizon, last_job, last_entry, log_id)


class StoredJob(NamedTuple):
    """A job as the tables have it."""

    number: int
    """The number of its row; the order of numbers is the order of creation."""
    newest_entry: int | None
    """The number of its newest history entry."""
    history_bytes: int
    """Bytes of the documents in its history."""
    history_dropped: int
    """Entries that were dropped from the middle of its history."""
    job: Job
    size: int
    """Bytes of its documents, see :func:`wfx.store.sizes.size_of`."""


class HistoryRow(NamedTuple):
    """A history entry to add."""

    number: int
    earlier: int | None
    """The number of the entry before it."""
    version: int
    """The version of the job that it describes."""
    entry: HistoryEntry


Row = tuple[Any, ...]
JOB_COLUMNS = (
    "number, id, CASE WHEN size <= ?1 THEN client_id END, workflow_state, stime, mtime, version, definition_hash, "
    "CASE WHEN size <= ?1 THEN CAST(tags AS BLOB) END, CASE WHEN size <= ?1 THEN CAST(status AS BLOB) END, "
    "CASE WHEN size <= ?1 THEN CAST(definition.document AS BLOB) END, size"
)
"""What :func:`job_of` reads, from ``job LEFT JOIN definition``.

Of a job whose documents have more bytes than the first value says, none is read.
"""
STORED_COLUMNS = f"{JOB_COLUMNS}, history, history_bytes, history_dropped, overtaken"
"""What :func:`stored_of` reads."""
SIZE = 11
"""Where in these rows is how many bytes the documents have."""
ANY_SIZE = 2**63 - 1
_STATES = 1 << 16
"""Numbers of states per workflow."""


def workflow_state_of(workflow: Workflow, state: str) -> int:
    """Return the number of the state. Raises KeyError for a state that the workflow does not have."""
    return workflow.number * _STATES + workflow.positions[state]


def workflow_state_rows(workflow: Workflow) -> list[Row]:
    """Make the rows of all the workflow's states."""
    names = [state.name for state in workflow.states]
    return [(workflow_state_of(workflow, name), workflow.number, name, workflow.group_of(name)) for name in names]


EVENT_COLUMNS = "seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause"
"""What :func:`event_of` reads."""


def workflow_of_job(row: Row) -> int:
    """Return the number of the workflow that a job's row refers to."""
    state: int = row[3]
    return state // _STATES


def workflow_of_event(row: Row) -> int:
    """Return the number of the workflow that an event's row refers to."""
    workflow: int = row[5]
    return workflow


def job_of(row: Row, workflows: Mapping[int, Workflow], overtaken: str = "") -> Job:
    """Build a job from its row."""
    _, job_id, client_id, number, stime, mtime, version, definition_hash, tags, status, definition, *_ = row
    workflow = workflows[number // _STATES]
    return Job(
        id=job_id,
        client_id=client_id,
        workflow=workflow,
        state=workflow.states[number % _STATES].name,
        status=status,
        definition_hash=definition_hash,
        definition=definition,
        tags=tags,
        stime=stime,
        mtime=mtime,
        version=version,
        overtaken=overtaken,
    )


def new_row(number: int, job: Job, size: int) -> Row:
    """Make the row to insert for a new job with so many bytes."""
    return (
        number,
        job.id,
        job.client_id,
        workflow_state_of(job.workflow, job.state),
        job.stime,
        job.mtime,
        job.version,
        job.definition_hash,
        job.tags.decode(),
        job.status.decode(),
        size,
    )


def stored_of(row: Row, workflows: Mapping[int, Workflow]) -> StoredJob:
    """Build a job with its numbers from its row."""
    return StoredJob(row[0], row[12], row[13], row[14], job_of(row, workflows, row[15]), row[SIZE])


def changed_row(number: int, job: Job, size: int, newest_history: int | None, history_bytes: int) -> Row:
    """Make the part of a job's row that every change changes, or may change at no cost."""
    return (
        number,
        job.mtime,
        job.version,
        newest_history,
        job.definition_hash,
        job.tags.decode(),
        job.status.decode(),
        size,
        history_bytes,
    )


def tombstone_row(job: Job) -> Row:
    """Make the row of what is told of a deleted job."""
    definition = None if job.definition is None else job.definition.decode()
    return (
        job.id, job.client_id, job.workflow.number, job.state, job.stime, job.mtime, job.definition_hash, definition,
    )  # fmt: skip


def tombstone_from(row: Row, workflows: Mapping[int, Workflow]) -> Job:
    """Build what is told of a deleted job from its row."""
    job_id, client_id, number, state, stime, mtime, definition_hash, definition = row
    return tombstone(
        job_id=job_id, client_id=client_id, workflow=workflows[number], state=state, stime=stime, mtime=mtime,
        definition_hash=definition_hash, definition=definition,
    )  # fmt: skip


def history_entry_of(row: Row) -> HistoryEntry:
    """Build a history entry from its row."""
    mtime, status, definition = row
    return HistoryEntry(mtime, status, definition)


def entry_row(job: int, entry: HistoryRow) -> Row:
    """Make the row of a history entry of the job with this number."""
    number, earlier, version, past = entry
    definition = None if past.definition is None else past.definition.decode()
    return (number, earlier, job, version, past.mtime, past.status.decode(), definition)


def event_of(row: Row, workflows: Mapping[int, Workflow]) -> Event:
    """Build an event from its row."""
    seq, ctime, action, job_id, client_id, number, payload, before, cause = row
    workflow = workflows[number]
    state_before = None if before is None else workflow.states[before].name
    return Event(
        seq,
        Timestamp(ctime),
        Action(action),
        job_id,
        client_id,
        workflow,
        Json(payload.encode()),
        state_before,
        cause,
    )


def event_row(seq: int, event: EventDraft) -> Row:
    """Make the row of the event with this number."""
    ctime, action, job_id, client_id, workflow, payload, state_before, cause = event
    before = None if state_before is None else workflow.positions[state_before]
    return (seq, ctime, str(action), job_id, client_id, workflow.number, payload.decode(), before, cause)
