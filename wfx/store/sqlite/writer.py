"""The one connection that writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import aiosqlite

from wfx.domain.errors import StoreFull, StoreUnavailable
from wfx.store.acts import Act, ChangeJob, DeleteJob
from wfx.store.plan import Clock
from wfx.store.sqlite.batch import Batch, Position, commit
from wfx.store.sqlite.connection import connect, inside
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.jobcache import JobCache
from wfx.store.sqlite.workflows import WorkflowCache


class Writer:
    """Commits batches, one at a time, and starts afresh after a failure of the disk."""

    def __init__(
        self,
        location: Location,
        connection: aiosqlite.Connection,
        position: Position,
        *,
        jobs: JobCache,
        workflows: WorkflowCache,
        clock: Clock,
        on_leap: Callable[[int], None],
    ) -> None:
        """Take over the connection. ``on_leap`` hears of a head that a new connection found further on."""
        self._location = location
        self._connection: aiosqlite.Connection | None = connection
        self.position = position
        """What is durable."""
        self._jobs = jobs
        self._workflows = workflows
        self._clock = clock
        self._on_leap = on_leap

    async def commit(self, acts: Sequence[Act]) -> Batch:
        """Do the acts. Raises StoreUnavailable or StoreFull, and then none of them has happened.

        After a failed write or sync it is unknown what reached the disk, and trying the same once more could seem to
        succeed when it has not. So the connection is given up, and the next batch begins with a new one and with what
        that finds.
        """
        connection = self._connection or await self._reopen()
        ids = {act.job_id for act in acts if isinstance(act, ChangeJob | DeleteJob)}
        known = {job_id: stored for job_id in ids if (stored := self._jobs.job(job_id)) is not None}
        work = partial(commit, known=known, cache=self._workflows, clock=self._clock)
        try:
            batch = await inside(connection, partial(work, acts=acts, position=self.position))
        except StoreFull:
            raise
        except StoreUnavailable:
            self._jobs.clear()
            await self._give_up()
            raise
        self.position = batch.position
        self._jobs.take_in(batch.images)
        return batch

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _give_up(self) -> None:
        # A database in memory is the connection: there is no disk to fail, and nothing to come back to.
        if self._location.path is not None:
            await self.close()

    async def _reopen(self) -> aiosqlite.Connection:
        connection = await connect(self._location)
        try:
            self.position = await inside(connection, Position.read)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._on_leap(self.position.head)
        return connection
