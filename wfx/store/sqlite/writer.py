"""Writing connection: reads what plans begin with, and commits what they say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

import aiosqlite

from wfx.domain.errors import NotOnThisLog, StoreDamaged, StoreFull, StoreUnavailable
from wfx.domain.workflow import Workflow
from wfx.store.backend import Applied, Performed, Snapshot
from wfx.store.operations import Checkpoint, DeleteWorkflow, ExclusiveOperation, TakeStep
from wfx.store.plan import Plan
from wfx.store.protocol import EVERYTHING
from wfx.store.sqlite import exclusive_operations
from wfx.store.sqlite.batch_sql import statements
from wfx.store.sqlite.connection import connect, inside
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.file_guard import FileGuard
from wfx.store.sqlite.job_cache import JobCache
from wfx.store.sqlite.numbering import number
from wfx.store.sqlite.rows import SIZE, Position, StoredJob, stored_of, workflow_of_job
from wfx.store.sqlite.sealed_rows import opened_jobs
from wfx.store.sqlite.statements import for_items
from wfx.store.sqlite.trimming import write
from wfx.store.sqlite.workflow_cache import WorkflowCache, load_named, load_numbered

Result = TypeVar("Result")


class Writer:
    """Does one thing at a time, as its caller sees to, and starts afresh after a failure of the disk.

    Nobody else writes to the file, so what is decided on the loop, on the jobs as they are in memory or were just read,
    holds when it is written. Its statements are made on the loop, too. That keeps the interpreter out of the
    connection's thread, which would have to wait for it.
    """

    def __init__(
        self,
        location: Location,
        connection: aiosqlite.Connection,
        position: Position,
        *,
        file_guard: FileGuard,
        jobs: JobCache,
        dirty_jobs: DirtyJobs,
        workflows: WorkflowCache,
    ) -> None:
        """Take over the connection."""
        self._location = location
        self._connection: aiosqlite.Connection | None = connection
        self.position = position
        """What is durable."""
        self._file_guard = file_guard
        self._jobs = jobs
        self._dirty_jobs = dirty_jobs
        self._workflows = workflows
        self.tell_head: Callable[[int], None] = lambda _: None
        """Hears of a head that a new connection found further on."""

    async def load(self, ids: Collection[str], names: Collection[str], room: int) -> Snapshot:
        """Return what is in memory of these jobs and workflows; what is not, is read."""
        connection = await self._begin()
        jobs = [stored for job_id in ids if (stored := self._jobs.job(job_id)) is not None]
        large = {stored.job.id for stored in jobs if stored.size > room}
        workflows = {name: known for name in names if (known := self._workflows.named(name)) is not None}
        if len(jobs) < len(ids) or len(workflows) < len(names):
            missing = set(ids).difference(stored.job.id for stored in jobs)
            read = partial(self._read, ids=missing, names=set(names) - workflows.keys(), room=room)
            more_jobs, more_large, more_workflows = await self._run(connection, read)
            jobs += more_jobs
            large |= more_large
            workflows |= more_workflows
        return Snapshot(jobs, workflows, large)

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None) -> Applied:
        """Give the plan its numbers, and commit it on the connection that loaded its jobs."""
        if self._connection is None:
            raise StoreUnavailable("the store is closed")
        if isinstance(checkpoint, TakeStep) and checkpoint.upto > self.position.head:
            raise NotOnThisLog(self.position.head, self.position.log_id)
        batch = number(plan, self.position)
        commit = partial(
            write,
            statements=statements(batch, self._location.sealing),
            long_histories=[job for job in batch.jobs if job.has_long_history],
            checkpoint=checkpoint,
        )
        self._dirty_jobs.note(batch.jobs, batch.position.head)
        await self._run(self._connection, commit, commits=True)
        self.position = batch.position
        self._jobs.take_in(batch.jobs)
        return Applied(batch.first_seq)

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        """Do the operation. Raises what it is refused for, StoreUnavailable or StoreFull; then it has not happened."""
        connection = await self._begin()
        perform = partial(exclusive_operations.perform, operation=operation, position=self.position, now=now)
        performed, self.position = await self._run(connection, perform, commits=True)
        if isinstance(operation, DeleteWorkflow):
            self._workflows.unname(operation.name)
        elif isinstance(performed.result, Workflow):
            self._workflows.name(performed.result)
        return performed

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _begin(self) -> aiosqlite.Connection:
        """Return the connection, open and with its files in place."""
        self._file_guard.before_commit()
        return self._connection or await self._reopen()

    async def _run(
        self,
        connection: aiosqlite.Connection,
        function: Callable[[sqlite3.Connection], Result],
        *,
        commits: bool = False,
    ) -> Result:
        """Run a function; if it ``commits``, see that the next start will find what it wrote.

        After a failed write or sync it is unknown what reached the disk, and trying the same once more could seem to
        succeed when it has not. So the connection is given up, and what comes next begins with a new one and with what
        that finds.
        """
        try:
            result = await inside(connection, function)
            if commits:
                self._file_guard.after_commit()
        except StoreFull:
            raise
        except StoreUnavailable as exc:
            if isinstance(exc, StoreDamaged):
                self._file_guard.spoil(exc)
            self._jobs.clear()
            self._dirty_jobs.forget()
            await self._give_up()
            raise
        return result

    def _read(
        self, connection: sqlite3.Connection, ids: Collection[str], names: Collection[str], room: int
    ) -> tuple[list[StoredJob], set[str], dict[str, Workflow]]:
        rows = list(for_items(connection, "jobs_by_id", list(ids), room))
        large = {row[1] for row in rows if row[SIZE] > room}
        rows = [row for row in rows if row[SIZE] <= room] if large else rows
        if (sealing := self._location.sealing) is not None:
            rows, damaged = opened_jobs(sealing, rows, alone=room == EVERYTHING)
            large |= damaged.keys()
        numbers = set(map(workflow_of_job, rows))
        workflows = load_numbered(connection, numbers, self._workflows.numbered(numbers))
        named = load_named(connection, names)
        for workflow in named:
            self._workflows.name(workflow)
        jobs = [stored_of(row, workflows) for row in rows]
        return jobs, large, {workflow.name: workflow for workflow in named}

    async def _give_up(self) -> None:
        # A database in memory is the connection: there is no disk to fail, and nothing to come back to.
        if self._location.path is not None:
            await self.close()

    async def _reopen(self) -> aiosqlite.Connection:
        self._file_guard.require()
        connection = await connect(self._location)
        try:
            self._file_guard.require()
            self.position = await inside(connection, Position.read)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._dirty_jobs.forget()
        self.tell_head(self.position.head)
        return connection
