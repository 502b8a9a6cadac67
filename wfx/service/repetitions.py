"""Repetitions of states: counts what a job has reported by its history, and remembers that for jobs in use."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from wfx.domain.errors import TooManyRepetitions
from wfx.domain.job import Change, HistoryEntry, Job
from wfx.domain.query import Page
from wfx.domain.timestamp import Timestamp
from wfx.limits.repetitions import Reports, is_new
from wfx.store.bounded_cache import BoundedCache
from wfx.store.protocol import EVERYTHING, Store

_MOST_STATES = 50_000
"""States of jobs whose counts are remembered."""
_ROOM = 1024 * 1024
"""Bytes of a history that are read at once."""


class _Known(NamedTuple):
    """What is known of a job."""

    stime: Timestamp
    version: int
    reports: Reports


class Repetitions:
    """Counts of jobs that are in use; the others are counted anew, from their histories."""

    def __init__(self, store: Store) -> None:
        """Read histories there."""
        self._store = store
        self._known = BoundedCache[str, _Known](_MOST_STATES, lambda known: 1 + len(known.reports.counts))

    async def require(self, job: Job, change: Change, most: int) -> None:
        """Raise TooManyRepetitions if a change would enter or report a state more often than that.

        What is as it was is free. To be decided again if the job has another version by then.
        """
        if not is_new(job, change.status):
            return
        count = (await self._reports_of(job)).counts[change.state]
        if count >= most:
            raise TooManyRepetitions(job.id, change.state, count, most)

    async def counts(self, job: Job) -> Counter[str]:
        """Return how often a job has entered or reported each state, up to this version."""
        return (await self._reports_of(job)).counts.copy()

    async def _reports_of(self, job: Job) -> Reports:
        known = self._known.get(job.id)
        if known is None or known.stime != job.stime or known.version > job.version:
            reports = Reports(job.workflow)
            reports.add_earlier([job.status])
            await self._read(job, EVERYTHING, reports)
        elif known.version == job.version:
            return known.reports
        else:
            newer = Reports(job.workflow)
            newer.add_earlier([job.status])
            await self._read(job, job.version - known.version - 1, newer)
            reports = known.reports.followed_by(newer)
        self._known.put(job.id, _Known(job.stime, job.version, reports))
        return reports

    async def _read(self, job: Job, entries: int, reports: Reports) -> None:
        """Add so many of the newest entries of a job's history."""
        if not entries or job.version == 1:
            return
        page: Page[HistoryEntry] = await self._store.get_history(job.id, entries, before=job.version, room=_ROOM)
        reports.add_earlier(entry.status for entry in page.items)
        while page.rest is not None:
            page = await self._store.read_on(page.rest, max(_ROOM, page.rest.next_size))
            reports.add_earlier(entry.status for entry in page.items)
