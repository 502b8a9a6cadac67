"""Writes the rows of a planned batch, with one statement for each kind of row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.sqlite.numbering import NumberedBatch, NumberedJob
from wfx.store.sqlite.rows import Row, changed_row, entry_row, event_row, new_row, workflow_state_of
from wfx.store.sqlite.statements import Statement, over_rows

_ENTRIES = 500
"""History entries to delete at once; each may lie on a page of its own."""


def statements(batch: NumberedBatch) -> Iterator[Statement]:
    """Make what brings the tables to what the batch says."""
    rows = batch.jobs
    created = [(row, row.after) for row in rows if row.before is None and row.after]
    changed = [(row, row.after) for row in rows if row.before and row.after]
    changed_at_once = [(row, job) for row, job in created if row.entries]
    yield from _deletions([(row, row.before) for row in rows if row.before and row.after is None])
    yield from over_rows("insert_jobs", [new_row(row.number, job) for row, job in created])
    yield from over_rows(
        "update_jobs",
        [changed_row(row.number, job, row.newest_entry, row.history_bytes) for row, job in changed + changed_at_once],
    )
    yield from over_rows(
        "insert_history",
        [entry_row(row.number, entry) for row, _ in changed + changed_at_once for entry in row.entries],
    )
    yield from over_rows(
        "move_jobs",
        [
            (row.number, workflow_state_of(job.workflow, job.state))
            for row, job in changed
            if row.before and row.before.state != job.state
        ],
    )
    yield from _tags(rows)
    yield from _definitions(created + changed)
    yield from over_rows("insert_events", list(map(event_row, count(batch.first_seq), batch.events)))


def _deletions(gone: Iterable[tuple[NumberedJob, Job]]) -> Iterator[Statement]:
    """Delete jobs, with as much of their histories as takes no time; the rest is left over, to be swept in pieces.

    Comes first: a new job may have the id of a deleted one.
    """
    swept: list[Row] = []
    left: list[Row] = []
    room = _ENTRIES
    for row, job in gone:
        entries = job.version - 1
        fits = entries <= room
        (swept if fits else left).append((row.number,))
        room -= entries if fits else 0
    yield from over_rows("delete_history", swept)
    yield from over_rows("leave_history", left)
    yield from over_rows("delete_jobs", swept + left)


def _tags(rows: Iterable[NumberedJob]) -> Iterator[Statement]:
    gone: list[Row] = []
    fresh: list[Row] = []
    for row in rows:
        if row.before and row.after and row.before.tags == row.after.tags:
            continue
        before, after = _tags_of(row.before), _tags_of(row.after)
        gone.extend((tag, row.number) for tag in before - after)
        fresh.extend((tag, row.number) for tag in after - before)
    yield from over_rows("delete_tags", gone)
    yield from over_rows("insert_tags", fresh)


def _definitions(kept: Iterable[tuple[NumberedJob, Job]]) -> Iterator[Statement]:
    put: list[Row] = []
    gone: list[Row] = []
    for row, job in kept:
        before = None if row.before is None else row.before.definition
        if job.definition is None and before is not None:
            gone.append((row.number,))
        elif job.definition is not None and job.definition != before:
            put.append((row.number, job.definition.decode()))
    yield from over_rows("put_definitions", put)
    yield from over_rows("delete_definitions", gone)


def _tags_of(job: Job | None) -> frozenset[str]:
    return frozenset() if job is None else frozenset(decode(job.tags))
