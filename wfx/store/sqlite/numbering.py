"""Numbers for the rows of a plan: jobs, history entries and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wfx.domain.job import HistoryEntry, Job
from wfx.store.history_bounds import exceeds_bounds, size_of_entry
from wfx.store.plan import EventDraft, Plan
from wfx.store.sizes import size_of
from wfx.store.sqlite.rows import HistoryRow, Position, StoredJob


@dataclass(slots=True)
class NumberedJob:
    """What becomes of the rows of one job."""

    number: int
    newest_entry: int | None
    history_bytes: int
    history_dropped: int
    """As in :class:`~wfx.store.sqlite.rows.StoredJob`, once the batch is written."""
    before: Job | None
    """As the tables have it; None if they do not."""
    after: Job | None
    """As it is to be stored; None if it is to be deleted."""
    size: int
    """Bytes of what is to be stored, as in :class:`~wfx.store.sqlite.rows.StoredJob`."""
    entries: Sequence[HistoryRow] = ()
    """The history entries to add."""
    tombstone: Job | None = None
    """What is told of it if it is to be deleted."""

    @property
    def stored(self) -> StoredJob | None:
        """What the tables have once the batch is written; None if nothing."""
        if self.after is None:
            return None
        return StoredJob(
            self.number, self.newest_entry, self.history_bytes, self.history_dropped, self.after, self.size
        )

    @property
    def has_long_history(self) -> bool:
        """Whether the history that is to be stored is beyond its bounds."""
        if not self.entries or self.after is None:
            return False
        return exceeds_bounds(self.after.version - 1 - self.history_dropped, self.history_bytes)


class NumberedBatch(NamedTuple):
    """A plan with the numbers of its rows."""

    jobs: Sequence[NumberedJob]
    """Those that change."""
    events: Sequence[EventDraft]
    first_seq: int
    """The number of the first event; the others follow."""
    position: Position
    """The highest numbers once the batch is written."""


def number(plan: Plan, position: Position) -> NumberedBatch:
    """Give the numbers that follow the highest ones so far."""
    last_job, last_entry = position.last_job, position.last_entry
    jobs = []
    for pending in plan.jobs:
        before, after = pending.before, pending.after
        if after is before:
            continue
        size = 0 if after is None else size_of(after)
        if before is None:
            last_job += 1
            job = NumberedJob(last_job, None, 0, 0, None, after, size)
        else:
            row, newest, history_bytes, dropped, _, _ = pending.loaded
            job = NumberedJob(row, newest, history_bytes, dropped, before, after, size, tombstone=pending.tombstone)
        if pending.entries:
            _add_entries(job, pending.entries, 1 if before is None else before.version, last_entry)
            last_entry += len(pending.entries)
        jobs.append(job)
    first = position.head + 1
    reached = Position(position.head + len(plan.events), position.horizon, last_job, last_entry, position.log_id)
    return NumberedBatch(jobs, plan.events, first, reached)


def _add_entries(job: NumberedJob, entries: Sequence[HistoryEntry], version: int, last_entry: int) -> None:
    """Give the new history entries their numbers; the first is of this version."""
    rows = []
    for entry in entries:
        last_entry += 1
        rows.append(HistoryRow(last_entry, job.newest_entry, version, entry))
        job.history_bytes += size_of_entry(entry)
        job.newest_entry = last_entry
        version += 1
    job.entries = rows
