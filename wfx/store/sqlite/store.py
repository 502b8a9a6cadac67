"""SQLite store: implements :class:`wfx.store.protocol.Store`."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import aiosqlite

from wfx.domain.errors import JobNotFound, NotFound, NotOnThisLog, StoreDamaged, WorkflowNotFound
from wfx.domain.job import Event, HistoryEntry, Job
from wfx.domain.query import Item, JobQuery, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.batching import Batcher, OnBatch
from wfx.store.feed import Feed, Follower
from wfx.store.operations import (
    ChangeJob,
    CreateJob,
    CreateWorkflow,
    DeleteJob,
    DeleteWorkflow,
    ExclusiveOperation,
    JobOperation,
    Operation,
    PruneLog,
    SweepHistories,
)
from wfx.store.plan import Clock, StoredJob
from wfx.store.protocol import EVERYTHING, DecideChange, DecideCreation, LogBounds, NoRoom
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.connection import inside
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.file_guard import FileGuard
from wfx.store.sqlite.job_cache import JobCache
from wfx.store.sqlite.queries import Queries
from wfx.store.sqlite.query_connection import QueryConnection
from wfx.store.sqlite.rows import Position
from wfx.store.sqlite.workflow_cache import WorkflowCache
from wfx.store.sqlite.writer import Writer, brings_much

Result = TypeVar("Result")

_WRITES_WAITING = 4096
_WRITES_TOGETHER = 128
_READS_WAITING = 16384
_READS_TOGETHER = 256
_POLLS_TOGETHER = 32
_POLL_LIMIT = 100
_SMALL = 64 * 1024
"""Bytes of a job, and of a page of jobs, that are read together with others. What has more is read alone."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What the store works with. All are the same one for a database in memory."""

    write: aiosqlite.Connection
    point: aiosqlite.Connection
    """For reads of known, small size."""
    query: aiosqlite.Connection
    """For reads that may be long, so that they keep nobody waiting but each other."""
    presence: FileGuard
    """Of the files that they have open."""


class SqliteStore:
    """Made by :func:`wfx.store.sqlite.opening.open_sqlite`."""

    def __init__(
        self, location: Location, connections: Connections, position: Position,
        *, clock: Clock, on_batch: OnBatch, resources: AsyncExitStack,
    ) -> None:  # fmt: skip
        """Start the tasks. ``resources`` lets go of the connections, and of the file after them."""
        self._connections = connections
        self._resources = resources
        self._searcher = QueryConnection(connections.query, alone=connections.query is not connections.write)
        self._workflows = WorkflowCache()
        self._jobs = JobCache()
        changes = DirtyJobs()
        self._bitmaps = Bitmaps(changes)
        self._reading = Queries(self._workflows)
        self._feed = Feed(position.head, self.read_log)
        self._writer = Writer(
            location,
            connections.write,
            position,
            presence=connections.presence,
            jobs=self._jobs,
            changes=changes,
            workflows=self._workflows,
            clock=clock,
            on_advance=self._feed.advance,
        )
        resources.push_async_callback(self._writer.close)
        self._writes = Batcher(
            self._write,
            at_most_waiting=_WRITES_WAITING,
            at_most_together=_WRITES_TOGETHER,
            exclusive=lambda act: isinstance(act, ExclusiveOperation),
            large=brings_much,
            on_batch=on_batch,
        )
        self._reads = Batcher(self._read_jobs, at_most_waiting=_READS_WAITING, at_most_together=_READS_TOGETHER)
        self._polls = Batcher(self._read_pages, at_most_waiting=_READS_WAITING, at_most_together=_POLLS_TOGETHER)

    async def create_workflow(self, workflow: Workflow) -> Workflow:
        created: Workflow = await self._writes.submit(CreateWorkflow(workflow))
        return created

    async def get_workflow(self, name: str) -> Workflow:
        _require_text(name, WorkflowNotFound(name))
        known = self._workflows.named(name)
        return await self._point(partial(self._reading.workflow, name=name)) if known is None else known

    async def query_workflows(self, paging: Paging, room: int = EVERYTHING) -> Page[Workflow]:
        return await self._search(partial(self._reading.query_workflows, paging=paging, room=room))

    async def delete_workflow(self, name: str) -> None:
        _require_text(name, WorkflowNotFound(name))
        await self._writes.submit(DeleteWorkflow(name))

    async def create_job(self, workflow: str, decide: DecideCreation, *, size: int = 0) -> Job:
        _require_text(workflow, WorkflowNotFound(workflow))
        created: Job = await self._writes.submit(CreateJob(workflow, decide, size))
        return created

    async def get_job(self, job_id: str, room: int = EVERYTHING) -> Job:
        if (known := self._jobs.job(job_id)) is not None:
            return known.job
        _require_text(job_id, JobNotFound())
        age = self._jobs.age
        found: StoredJob | JobNotFound | int = await self._reads.submit(job_id)
        while isinstance(found, int):
            if found > room:
                raise NoRoom(found)
            (found,) = await self._search(partial(self._reading.jobs, ids=[job_id], room=room))
        if isinstance(found, JobNotFound):
            raise found
        self._jobs.keep(found, age)
        return found.job

    async def get_history(
        self, job_id: str, limit: int, *, before: int = EVERYTHING, room: int = EVERYTHING
    ) -> Page[HistoryEntry]:
        _require_text(job_id, JobNotFound())
        return await self._point(partial(self._reading.history, job_id=job_id, limit=limit, before=before, room=room))

    async def query_jobs(self, query: JobQuery, room: int = EVERYTHING) -> Page[Job]:
        if _is_poll(query):
            if (known := self._jobs.page(query)) is not None:
                return known
            age = self._jobs.age
            page: Page[Job] = await self._polls.submit(query)
            if page.rest is None:
                self._jobs.keep_page(query, page, age)
            if page.rest is None or room <= _SMALL:
                return page
        search = partial(self._reading.query_jobs, query=query, room=room, bitmaps=self._bitmaps)
        return await self._search(search)

    async def read_on(self, rest: Rest[Item], room: int = EVERYTHING) -> Page[Item]:
        read: Callable[..., Page[Item]] = rest.place
        return await self._search(partial(read, room=room))

    async def change_job(self, job_id: str, decide: DecideChange, *, size: int = 0) -> Job:
        _require_text(job_id, JobNotFound())
        changed: Job = await self._writes.submit(ChangeJob(job_id, decide, size))
        return changed

    async def delete_job(self, job_id: str) -> None:
        _require_text(job_id, JobNotFound())
        await self._writes.submit(DeleteJob(job_id))

    async def log_bounds(self) -> LogBounds:
        position = self._writer.position
        return LogBounds(position.log_id, position.horizon + 1, position.head)

    async def read_log(self, after: int, limit: int, room: int = EVERYTHING) -> Sequence[Event]:
        # The tables may hold more: what is committed this very moment, or was when the disk failed. Told now, it would
        # be ahead of the head, and not durable for sure.
        position = self._writer.position
        if after > position.head:
            raise NotOnThisLog(position.head, position.log_id)
        limit = min(limit, position.head - after)
        return await self._point(partial(self._reading.log, after=after, limit=limit, room=room))

    def follow_log(self) -> Follower:
        return self._feed.follow()

    async def prune_log(self, *, keep_newest: int, older_than: Timestamp, at_most: int) -> int:
        dropped: int = await self._writes.submit(PruneLog(keep_newest, older_than, at_most))
        return dropped

    async def sweep_histories(self, at_most: int) -> int:
        swept: int = await self._writes.submit(SweepHistories(at_most))
        return swept

    async def ping(self) -> None:
        self._connections.presence.require()
        await self._point(self._reading.ping)

    async def close(self) -> None:
        await self._writes.close()
        await self._reads.close()
        await self._polls.close()
        self._jobs.clear()
        self._feed.close()
        try:
            self._connections.presence.require()
        finally:
            await self._resources.aclose()

    async def _write(self, acts: Sequence[Operation]) -> Sequence[Any]:
        if isinstance(acts[0], ExclusiveOperation):
            return [await self._writer.perform(acts[0])]
        batch = await self._writer.change(cast("Sequence[JobOperation]", acts))
        self._feed.publish(batch.events)
        return batch.answers

    async def _read_jobs(self, ids: Sequence[str]) -> Sequence[Any]:
        return await self._point(partial(self._reading.jobs, ids=ids, room=_SMALL))

    async def _read_pages(self, queries: Sequence[JobQuery]) -> Sequence[Any]:
        return await self._point(partial(self._reading.pages, queries=queries, room=_SMALL))

    async def _point(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self._noting_damage(inside(self._connections.point, read))

    async def _search(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self._noting_damage(self._searcher.run(read))

    async def _noting_damage(self, reading: Awaitable[Result]) -> Result:
        try:
            return await reading
        except StoreDamaged as exc:
            self._connections.presence.spoil(exc)
            raise


def _is_poll(query: JobQuery) -> bool:
    """Tell whether this is what devices ask all the time: some of their own, few jobs. It needs no search."""
    return bool(query.client_id) and 0 < query.paging.limit <= _POLL_LIMIT and not query.paging.with_total


def _require_text(key: str, otherwise: NotFound) -> None:
    """Raise unless the key is Unicode text: half a surrogate pair names nothing, and SQLite could not look for it."""
    try:
        key.encode()
    except UnicodeEncodeError:
        raise otherwise from None
