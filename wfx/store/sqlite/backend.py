"""SQLite backend: implements :class:`wfx.store.backend.Backend`."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiosqlite

from wfx.domain.device import Device, DeviceList, DeviceQuery
from wfx.domain.errors import NotOnThisLog, SealedValueUnreadable, StoreDamaged
from wfx.domain.job import Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.query import JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.backend import Applied, FoundJob, Performed, Snapshot
from wfx.store.bulk import BulkRecord
from wfx.store.figures import CacheFigures, DatabaseFigures, JobCounts
from wfx.store.operations import Checkpoint, ExclusiveOperation
from wfx.store.plan import Plan
from wfx.store.protocol import Consumer, LogBounds
from wfx.store.rule_records import RuleQuestion
from wfx.store.script_records import ScriptQuestion
from wfx.store.sqlite import bulk, consumers, figures, rules, scripts
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.connection import inside
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.dsn import Location
from wfx.store.sqlite.file_guard import FileGuard
from wfx.store.sqlite.job_cache import JobCache
from wfx.store.sqlite.queries import Queries
from wfx.store.sqlite.query_connection import QueryConnection
from wfx.store.sqlite.rows import Position, StoredJob
from wfx.store.sqlite.workflow_cache import WorkflowCache
from wfx.store.sqlite.writer import Writer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Connections:
    """What the backend works with. All are the same one for a database in memory."""

    write: aiosqlite.Connection
    point: aiosqlite.Connection
    """For reads of known, small size."""
    query: aiosqlite.Connection
    """For reads that may be long, so that they keep nobody waiting but each other."""
    count: aiosqlite.Connection
    """For counts that look at each job."""
    file_guard: FileGuard
    """Of the files that they have open."""


class SqliteBackend:
    """Made by :func:`wfx.store.sqlite.opening.open_backend`."""

    def __init__(
        self, location: Location, connections: Connections, position: Position, resources: AsyncExitStack
    ) -> None:
        """Take over the connections. ``resources`` lets go of them, and of the file after them."""
        self._location = location
        self._connections = connections
        self._resources = resources
        self._query_connection, self._count_connection = (
            QueryConnection(each, alone=each is not connections.write)
            for each in (connections.query, connections.count)
        )
        self._workflows = WorkflowCache()
        self._jobs = JobCache()
        dirty_jobs = DirtyJobs()
        self._bitmaps = Bitmaps(dirty_jobs)
        self._queries = Queries(self._workflows)
        self._writer = Writer(
            location,
            connections.write,
            position,
            file_guard=connections.file_guard,
            jobs=self._jobs,
            dirty_jobs=dirty_jobs,
            workflows=self._workflows,
        )
        resources.push_async_callback(self._writer.close)

    def watch_head(
        self,
        tell: Callable[[int], None],
        tell_replaced: Callable[[int], None],  # noqa: ARG002 - a file that was replaced is noticed by its guard
    ) -> None:
        self._writer.tell_head = tell

    def cached_job(self, job_id: str) -> Job | None:
        known = self._jobs.job(job_id)
        return None if known is None else known.job

    def cached_page(self, query: JobQuery) -> Page[Job] | None:
        return self._jobs.page(query)

    def cached_workflow(self, name: str) -> Workflow | None:
        return self._workflows.named(name)

    async def load(self, job_ids: Collection[str], workflow_names: Collection[str], room: int) -> Snapshot:
        return await self._writer.load(job_ids, workflow_names, room)

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None = None) -> Applied:
        return await self._writer.apply(plan, checkpoint)

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        return await self._writer.perform(operation, now)

    async def read_jobs(self, job_ids: Sequence[str], room: int) -> Sequence[FoundJob]:
        age = self._jobs.age
        found = await self._point(partial(self._queries.jobs, ids=job_ids, room=room))
        return [self._keep(one, age) if isinstance(one, StoredJob) else one for one in found]

    async def read_large_job(self, job_id: str, room: int) -> FoundJob:
        age = self._jobs.age
        (found,) = await self._search(partial(self._queries.jobs, ids=[job_id], room=room))
        return self._keep(found, age) if isinstance(found, StoredJob) else found

    async def read_tombstone(self, job_id: str, since: Timestamp) -> Job:
        return await self._point(partial(self._queries.tombstone, job_id=job_id, since=since))

    async def read_pages(self, queries: Sequence[JobQuery], room: int) -> Sequence[Page[Job] | SealedValueUnreadable]:
        age = self._jobs.age
        pages = await self._point(partial(self._queries.pages, queries=queries, room=room))
        for query, page in zip(queries, pages, strict=True):
            if isinstance(page, Page) and page.rest is None:
                self._jobs.keep_page(query, page, age)
        return pages

    async def search_jobs(self, query: JobQuery, room: int) -> Page[Job]:
        return await self._search(partial(self._queries.query_jobs, query=query, room=room, bitmaps=self._bitmaps))

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        if query.needs_rows:
            return await self._noting_damage(self._count_connection.run(partial(self._queries.count_rows, query=query)))
        return await self._search(partial(self._queries.summarize_jobs, query=query, bitmaps=self._bitmaps))

    async def list_jobs(self, query: JobListQuery) -> JobList:
        return await self._search(partial(self._queries.list_jobs, query=query, bitmaps=self._bitmaps))

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        return await self._search(partial(self._queries.list_devices, query=query))

    async def get_device(self, client_id: str) -> Device:
        return await self._point(partial(self._queries.get_device, client_id=client_id))

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        select = partial(self._queries.select_jobs, query=query, bitmaps=self._bitmaps, with_ids=with_ids)
        return await self._search(select)

    async def read_on(self, rest: Rest[Any], room: int) -> Page[Any]:
        read: Callable[..., Page[Any]] = rest.read_next
        return await self._search(partial(read, room=room))

    async def read_history(self, job_id: str, limit: int, before: int, room: int) -> Page[HistoryEntry]:
        return await self._point(partial(self._queries.history, job_id=job_id, limit=limit, before=before, room=room))

    async def read_workflow(self, name: str) -> Workflow:
        return await self._point(partial(self._queries.workflow, name=name))

    async def read_workflow_names(self, among: Collection[str]) -> set[str]:
        return await self._search(partial(self._queries.workflow_names, among=among))

    async def read_workflows(self, paging: Paging, room: int) -> Page[Workflow]:
        return await self._search(partial(self._queries.query_workflows, paging=paging, room=room))

    async def read_log(self, after: int, limit: int, room: int) -> Sequence[Event]:
        # The tables may hold more: what is committed this very moment, or was when the disk failed. Told now, it would
        # be ahead of the head, and not durable for sure.
        position = self._writer.position
        if after > position.head:
            raise NotOnThisLog(position.head, position.log_id)
        limit = min(limit, position.head - after)
        return await self._point(partial(self._queries.log, after=after, limit=limit, room=room))

    async def read_consumers(self) -> Sequence[Consumer]:
        return await self._point(consumers.read_all)

    async def read_bulk(self, key: str) -> BulkRecord | None:
        return await self._point(partial(bulk.read, key=key))

    async def bulk_results(self, key: str) -> Sequence[str]:
        return await self._point(partial(bulk.results, key=key))

    async def read_rules(self, question: RuleQuestion) -> Any:
        return await self._point(partial(rules.answer, question=question))

    async def read_scripts(self, question: ScriptQuestion) -> Any:
        return await self._point(partial(scripts.answer, question=question))

    async def log_bounds(self) -> LogBounds:
        position = self._writer.position
        return LogBounds(position.log_id, position.horizon + 1, position.head)

    async def count_jobs(self) -> JobCounts:
        return await self._search(figures.count_jobs)

    def caches(self) -> Sequence[CacheFigures]:
        return (*self._jobs.figures(), self._bitmaps.figures())

    async def describe(self) -> DatabaseFigures:
        connections = self._connections
        all_uses = (connections.write, connections.point, connections.query, connections.count)
        different = len({id(each) for each in all_uses})
        return await self._point(partial(figures.describe, path=self._location.path, connections=different))

    @property
    def buckets(self) -> None:
        return None

    async def ping(self) -> None:
        self._connections.file_guard.require()
        await self._point(self._queries.ping)

    async def close(self) -> None:
        self._jobs.clear()
        try:
            self._connections.file_guard.require()
        finally:
            await self._resources.aclose()

    def _keep(self, stored: StoredJob, age: int) -> Job:
        self._jobs.keep(stored, age)
        return stored.job

    async def _point(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self._noting_damage(inside(self._connections.point, read))

    async def _search(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self._noting_damage(self._query_connection.run(read))

    async def _noting_damage(self, reading: Awaitable[Result]) -> Result:
        try:
            return await reading
        except StoreDamaged as exc:
            self._connections.file_guard.spoil(exc)
            raise
