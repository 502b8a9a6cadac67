"""Numbers for the rows of a plan: jobs, history entries and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wfx.domain.job import Job
from wfx.store.history_bounds import exceeds_bounds, size_of_entry
from wfx.store.plan import EventDraft, PendingJob, Plan
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
    entries: Sequence[HistoryRow] = ()
    """The history entries to add."""

    @property
    def stored(self) -> StoredJob | None:
        """What the tables have once the batch is written; None if nothing."""
        if self.after is None:
            return None
        return StoredJob(self.number, self.newest_entry, self.history_bytes, self.history_dropped, self.after)

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
        if pending.after is pending.before:
            continue
        if pending.before is None:
            last_job += 1
            fresh = NumberedJob(last_job, None, 0, 0, None, pending.after)
            jobs.append(_with_entries(fresh, pending, 1, last_entry) if pending.entries else fresh)
        else:
            stored: StoredJob = pending.loaded
            present = NumberedJob(
                stored.number,
                stored.newest_entry,
                stored.history_bytes,
                stored.history_dropped,
                pending.before,
                pending.after,
            )
            jobs.append(_with_entries(present, pending, pending.before.version, last_entry))
        last_entry += len(pending.entries)
    first = position.head + 1
    reached = Position(position.head + len(plan.events), position.horizon, last_job, last_entry, position.log_id)
    return NumberedBatch(jobs, plan.events, first, reached)


def _with_entries(job: NumberedJob, pending: PendingJob, version: int, last_entry: int) -> NumberedJob:
    """Give the new history entries their numbers; the first is of this version."""
    newest, size, rows = job.newest_entry, job.history_bytes, []
    for entry in pending.entries:
        last_entry += 1
        rows.append(HistoryRow(last_entry, newest, version, entry))
        size += size_of_entry(entry)
        newest = last_entry
        version += 1
    job.newest_entry, job.history_bytes, job.entries = newest, size, rows
    return job
