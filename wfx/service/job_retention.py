"""Retention of jobs: deletes finished ones that are old, once in a cluster, and tombstones whose time is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from wfx.config.max_ages import MaxAges
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.domain.cause import Cause, EncodedCause
from wfx.domain.errors import JobNotFound, Refused
from wfx.domain.job import Job
from wfx.domain.job_list import JobRow
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.old_jobs import OldJobs
from wfx.store.protocol import Store
from wfx.store.upkeep import Upkeep, present

CAUSE = Cause(actor="retention").encoded
"""The cause of what is deleted because of its age."""
_LEASE = "job-retention"
_LEASE_SECONDS = 180.0
_STEPS = 200
"""Steps without an old job after which a turn ends; the next one goes on there."""
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RetentionFigures:
    """What retention of jobs has done here since the start."""

    removed: BoundedCounts = field(default_factory=BoundedCounts)
    """How many jobs were deleted for their age, by group."""
    ended: float = 0.0
    """When its last turn ended without an error, in seconds since 1970; 0 before that."""


class _Changed(Refused):
    """The job was changed since it was found."""


async def delete_jobs(store: Store, rows: Sequence[JobRow], cause: EncodedCause) -> Sequence[JobRow]:
    """Delete those of the jobs that are still as they were found, together; return them."""
    deletions = (store.delete_job(row.id, require=partial(_require_same, row), cause=cause) for row in rows)
    outcomes = await asyncio.gather(*deletions, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, JobNotFound | _Changed):
            raise outcome
    return [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]


def _ages_of(tunables: Tunables) -> MaxAges:
    return MaxAges.parse(tunables.jobs_closed_max_age)


def _require_same(row: JobRow, job: Job) -> None:
    if (job.state, job.mtime) != (row.state, row.mtime):
        raise _Changed("the job was changed meanwhile")


class JobRetention(Upkeep):
    """The background task that keeps to ``jobs-closed-max-age`` and ``tombstone-grace``; an async context manager.

    It deletes up to a hundred jobs together and then pauses, so that writers never wait for it noticeably.
    """

    name = "job retention"
    cannot = "cannot delete what is too old, trying again later"
    failed = "deleting what is too old failed, trying again later"

    def __init__(
        self,
        store: Store,
        tunables: Holder[Tunables],
        *,
        interval: float = 60,
        pause: float = 0.05,
        now: Callable[[], Timestamp] = present,
        figures: RetentionFigures | None = None,
    ) -> None:
        """Take a turn every ``interval`` seconds, with ``pause`` seconds between its transactions; count in figures."""
        super().__init__(interval, pause, now)
        self._figures = RetentionFigures() if figures is None else figures
        self._store = store
        self._tunables = tunables
        self._ages = Derived(tunables, _ages_of)
        self._old_jobs = OldJobs(store)
        self._told: set[str] = set()
        """Names of which was told that they mean no finished state."""

    async def take_turn(self) -> None:
        """Delete old jobs, and drop tombstones. Raises StoreError."""
        if deleted := await self.delete_old_jobs():
            _logger.info("deleted %d finished jobs for their age", deleted)
        if dropped := await self.drop_tombstones():
            _logger.info("dropped the tombstones of %d deleted jobs", dropped)
        self._figures.ended = self._now() / SECOND

    async def delete_old_jobs(self) -> int:
        """Take one turn, if no other server has the lease; return how many jobs were deleted. Raises StoreError."""
        deleted, idle, renewal = 0, 0, True
        while idle < _STEPS:
            ages = self._ages.current
            if not ages or (renewal and await self._store.lease(_LEASE, _LEASE_SECONDS) is None):
                break
            rows = await self._old_jobs.step(ages, self._now())
            if rows is None:
                self._tell_of_open_names()
                break
            renewal = bool(rows)
            if rows:
                deleted += self._note(await delete_jobs(self._store, rows, CAUSE))
            else:
                idle += 1
            await asyncio.sleep(self._pause)
        return deleted

    def _note(self, deleted: Sequence[JobRow]) -> int:
        for row in deleted:
            self._figures.removed.note(row.group)
        return len(deleted)

    def _tell_of_open_names(self) -> None:
        """Log once of each name with an age that workflows have, but for no finished state."""
        for name in sorted(self._old_jobs.open_names - self._told):
            _logger.warning("jobs-closed-max-age names %s, but no job is finished there: it deletes nothing", name)
            self._told.add(name)

    async def drop_tombstones(self) -> int:
        """Drop the tombstones whose time is over; return how many that were. Raises StoreError."""
        return await self._in_pieces(self._drop_some_tombstones)

    async def _drop_some_tombstones(self, at_most: int) -> int:
        since = self._now() - int(self._tunables.current.tombstone_grace * SECOND)
        return await self._store.drop_tombstones(Timestamp(since), at_most)
