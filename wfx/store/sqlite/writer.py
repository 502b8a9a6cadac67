"""Writing connection: decides on batches and commits them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import aiosqlite

from wfx.domain.errors import StoreDamaged, StoreFull, StoreUnavailable, WfxError
from wfx.domain.job import Event
from wfx.domain.workflow import Workflow
from wfx.store.batching import LARGE
from wfx.store.operations import ChangeJob, CreateJob, DeleteWorkflow, ExclusiveOperation, JobOperation, Operation
from wfx.store.plan import Clock, Plan, StoredJob
from wfx.store.sqlite import exclusive_operations
from wfx.store.sqlite.connection import connect, inside
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.file_guard import FileGuard
from wfx.store.sqlite.job_cache import JobCache
from wfx.store.sqlite.rows import ANY_SIZE, SIZE, Position, size_of, stored_of, workflow_of_job
from wfx.store.sqlite.statements import for_items
from wfx.store.sqlite.trimming import write
from wfx.store.sqlite.workflow_cache import WorkflowCache, load_named, load_numbered

Result = TypeVar("Result")
_SMALL = 128 * 1024
"""Bytes of a job, or of what a change brings, up to which many are changed in one transaction."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of acts that were done together."""

    answers: Sequence[Any]
    """For each act its result, or the exception that refused it."""
    events: Sequence[Event]


class Writer:
    """Does one thing at a time, as its caller sees to, and starts afresh after a failure of the disk.

    Nobody else writes to the file, so what is decided on the loop, on the jobs as they are in memory or were just read,
    holds when it is written. That keeps the interpreter out of the connection's thread: each statement would have to
    wait for it.
    """

    def __init__(
        self,
        location: Location,
        connection: aiosqlite.Connection,
        position: Position,
        *,
        presence: FileGuard,
        jobs: JobCache,
        changes: DirtyJobs,
        workflows: WorkflowCache,
        clock: Clock,
        on_advance: Callable[[int], None],
    ) -> None:
        """Take over the connection. ``on_advance`` hears of a head that a new connection found further on."""
        self._location = location
        self._connection: aiosqlite.Connection | None = connection
        self.position = position
        """What is durable."""
        self._presence = presence
        self._jobs = jobs
        self._changes = changes
        self._workflows = workflows
        self._clock = clock
        self._on_leap = on_advance

    async def change(self, acts: Sequence[JobOperation]) -> Batch:
        """Do the acts in order and make them durable together; of several, those on large jobs are answered LARGE.

        Raises StoreUnavailable or StoreFull, and then none of them has happened.
        """
        async with self._writing() as connection:
            room = ANY_SIZE if len(acts) == 1 else _SMALL
            plan, large = await self._plan(connection, acts, room)
            answers = [LARGE if large and _job_of(act) in large else _attempt(plan, act) for act in acts]
            if plan.events:
                self._changes.note(plan.images, plan.head)
                await self._durably(connection, partial(write, plan=plan))
            self.position = replace(
                self.position, head=plan.head, last_job=plan.last_number, last_entry=plan.last_entry
            )
            self._jobs.take_in(plan.images)
            return Batch(answers, plan.events)

    async def perform(self, act: ExclusiveOperation) -> Workflow | int | None:
        """Do the act. Raises what it is refused for, StoreUnavailable or StoreFull; then it has not happened."""
        async with self._writing() as connection:
            perform = partial(exclusive_operations.perform, act=act, position=self.position, now=self._clock())
            result, self.position = await self._durably(connection, perform)
            if isinstance(act, DeleteWorkflow):
                self._workflows.unname(act.name)
            elif isinstance(result, Workflow):
                self._workflows.name(result)
            return result

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give the connection, and give it up if it fails.

        After a failed write or sync it is unknown what reached the disk, and trying the same once more could seem to
        succeed when it has not. So what comes next begins with a new connection and with what that finds.
        """
        self._presence.before_commit()
        connection = self._connection or await self._reopen()
        try:
            yield connection
        except StoreFull:
            raise
        except StoreUnavailable as exc:
            if isinstance(exc, StoreDamaged):
                self._presence.spoil(exc)
            self._jobs.clear()
            self._changes.forget()
            await self._give_up()
            raise

    async def _durably(self, connection: aiosqlite.Connection, write: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a function that commits, and see that the next start will find what it wrote."""
        result = await inside(connection, write)
        self._presence.after_commit()
        return result

    async def _plan(
        self, connection: aiosqlite.Connection, acts: Sequence[JobOperation], room: int
    ) -> tuple[Plan, set[str]]:
        """Begin a plan from what is in memory; what the acts name and is not, is read.

        Also returns the ids of jobs that have more bytes than ``room``; they are to be left alone.
        """
        ids = {act.job_id for act in acts if not isinstance(act, CreateJob)}
        jobs = [stored for job_id in ids if (stored := self._jobs.job(job_id)) is not None]
        large = {stored.job.id for stored in jobs if size_of(stored.job) > room}
        names = {act.workflow for act in acts if isinstance(act, CreateJob)}
        workflows = {name: known for name in names if (known := self._workflows.named(name)) is not None}
        if len(jobs) < len(ids) or len(workflows) < len(names):
            missing = ids.difference(stored.job.id for stored in jobs)
            read = partial(self._read, ids=missing, names=names - workflows.keys(), room=room)
            more_jobs, more_large, more_workflows = await inside(connection, read)
            jobs += more_jobs
            large |= more_large
            workflows |= more_workflows
        position = self.position
        plan = Plan(
            jobs,
            workflows,
            head=position.head,
            last_number=position.last_job,
            last_entry=position.last_entry,
            clock=self._clock,
        )
        return plan, large

    def _read(
        self, connection: sqlite3.Connection, ids: Collection[str], names: Collection[str], room: int
    ) -> tuple[list[StoredJob], set[str], dict[str, Workflow]]:
        rows = list(for_items(connection, "jobs_by_id", list(ids), room))
        large = {row[1] for row in rows if row[SIZE] > room}
        rows = [row for row in rows if row[SIZE] <= room] if large else rows
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
        self._presence.require()
        connection = await connect(self._location)
        try:
            self._presence.require()
            self.position = await inside(connection, Position.read)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._changes.forget()
        self._on_leap(self.position.head)
        return connection


def brings_much(act: Operation) -> bool:
    """Tell whether an act brings so much that small ones must not wait for several of its kind."""
    return isinstance(act, (ChangeJob, CreateJob)) and act.size > _SMALL


def _job_of(act: JobOperation) -> str | None:
    return None if isinstance(act, CreateJob) else act.job_id


def _attempt(plan: Plan, act: JobOperation) -> Any:
    try:
        return plan.perform(act)
    except WfxError as exc:
        return exc.with_traceback(None)  # it holds the frame that will hold this answer: a cycle
    except Exception as exc:  # noqa: BLE001 - whatever a decision raises is for its own caller
        return exc
