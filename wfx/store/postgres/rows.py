"""Conversion between table rows and domain objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wfx.domain.finished import tombstone
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow

Row = Sequence[Any]
WORKFLOW = 3
"""Where a job's row has the number of its workflow."""
SIZE = 12
"""Where it has how many bytes its documents have."""
SHOWN, FITS, PLACE = 15, 16, 17
"""Where the row of a page has the bytes of the job as it is shown, whether it fits, and which page it is of."""


class StoredJob(NamedTuple):
    """A job as the tables have it."""

    number: int
    """The number of its row; the order of numbers is the order of creation."""
    history_bytes: int
    """Bytes of the documents in its history."""
    history_dropped: int
    """Entries that were dropped from the middle of its history."""
    job: Job


def job_of(row: Row, workflows: Mapping[int, Workflow], overtaken: str = "") -> Job:
    """Build a job from its row."""
    definition = row[11]
    return Job(
        id=row[1],
        client_id=row[2],
        workflow=workflows[row[WORKFLOW]],
        state=row[4],
        status=row[10].encode(),
        definition_hash=row[8],
        definition=None if definition is None else definition.encode(),
        tags=row[9].encode(),
        stime=row[5],
        mtime=row[6],
        version=row[7],
        overtaken=overtaken,
    )


def stored_of(row: Row, workflows: Mapping[int, Workflow]) -> StoredJob:
    """Build a job with its numbers from its row."""
    return StoredJob(row[0], row[13], row[14], job_of(row, workflows, row[15]))


def tombstone_from(row: Row, workflows: Mapping[int, Workflow]) -> Job:
    """Build what is told of a deleted job from its row."""
    job_id, client_id, number, state, stime, mtime, definition_hash, definition = row
    return tombstone(
        job_id=job_id, client_id=client_id, workflow=workflows[number], state=state, stime=stime, mtime=mtime,
        definition_hash=definition_hash, definition=None if definition is None else Json(definition.encode()),
    )  # fmt: skip


def history_entry_of(row: Row) -> HistoryEntry:
    """Build a history entry from its row, which begins with the numbers of its job and version."""
    definition = row[4]
    return HistoryEntry(
        Timestamp(row[2]), Json(row[3].encode()), None if definition is None else Json(definition.encode())
    )


def event_of(row: Row, workflows: Mapping[int, Workflow]) -> Event:
    """Build an event from its row."""
    seq, ctime, action, job_id, client_id, workflow, payload, before, cause = row
    return Event(
        seq, Timestamp(ctime), Action(action), job_id, client_id, workflows[workflow], Json(payload.encode()),
        before, cause,
    )  # fmt: skip
