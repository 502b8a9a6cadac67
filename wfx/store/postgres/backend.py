"""PostgreSQL backend: implements :class:`wfx.store.backend.Backend`.

All reads are from the primary and nothing that may change is kept in memory, so whoever was told of a change, by
whichever server, sees it or something later in every read.
"""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from wfx.domain.device import Device, DeviceList, DeviceQuery
from wfx.domain.errors import StoreUnavailable
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
from wfx.store.postgres import bulk, devices, figures, job_list, job_summary, rules, scripts
from wfx.store.postgres.buckets import PostgresBuckets
from wfx.store.postgres.connections import Connection, Connections, Open, Plain
from wfx.store.postgres.deadlines import Deadlines, while_answering
from wfx.store.postgres.enrolment import Membership
from wfx.store.postgres.faults import ConnectionLost
from wfx.store.postgres.job_search import JobSearch, MoreJobs
from wfx.store.postgres.known_log import KnownLog
from wfx.store.postgres.listener import Listener
from wfx.store.postgres.lock_check import LockCheck
from wfx.store.postgres.notification_check import HeardConnections
from wfx.store.postgres.queries import MoreHistory, MoreWorkflows, Queries
from wfx.store.postgres.rows import SHOWN
from wfx.store.postgres.session import READ_ONLY
from wfx.store.postgres.statements import SQL, fenced_statements
from wfx.store.postgres.workflows import Workflows
from wfx.store.postgres.writer import Writer
from wfx.store.protocol import Consumer, LogBounds
from wfx.store.rule_records import RuleQuestion
from wfx.store.script_records import ScriptQuestion


@dataclass(frozen=True, slots=True)
class Openers:
    """How to open a connection for each use: they differ in their time limits and in how statements are planned."""

    write: Open
    point: Open
    search: Open
    listen: Open
    check: Open
    known: KnownLog
    """What they look for in the database."""
    make_durable: bool = False
    """Whether writes must not trust their sessions to commit durably."""
    member: Membership = Membership()
    """What others are told of this server."""


class PostgresBackend:
    """Made by :func:`wfx.store.postgres.opening.open_backend`."""

    def __init__(self, openers: Openers, deadlines: Deadlines, searches: int, *, notified: bool) -> None:
        """Open the connections when they are first used, ``searches`` of them for searches."""
        workflows = Workflows()
        self._deadlines = deadlines
        self._queries = Queries(workflows)
        self._known = openers.known
        fenced = fenced_statements(make_durable=openers.make_durable)
        self._writer = Writer(openers.write, workflows, self._known, deadlines, fenced, openers.member)
        self._points, self._pages = (  # the latter of one client or job, and of the log: not behind searches
            Connection(openers.point, seconds=deadlines.read, known_down=deadlines.known_down) for _ in range(2)
        )
        answering = partial(while_answering, self._answer, deadlines.before_asking)
        self._searches = Connections(openers.search, searches, answering, deadlines.known_down)
        self._looking_at_rows = asyncio.Semaphore(max(searches - 1, 1))
        """For counts that look at each job: one connection is left to others."""
        self._search = JobSearch(self._searches, workflows)
        self._listener = Listener(
            openers.listen,
            self._known,
            lambda: self._writer.server_pid,
            self._writer.settled,
            deadlines,
            notified=notified,
        )
        self.buckets = PostgresBuckets(openers.point, deadlines)
        self._lock_check = LockCheck(openers.check, (self._writer.connection, self._points, self._pages), deadlines)

        self._known.is_connected = lambda: any(each.is_open for each in self._connections())
        self._known.leave_all = self._leave_all

    def _connections(self) -> Iterator[Connection]:
        yield self._writer.connection
        yield self._points
        yield self._pages
        yield self._listener.connection
        yield from self._searches.all

    def _leave_all(self, but: Plain | None) -> None:
        for each in self._connections():
            if each.plain is not but:
                each.drop()

    async def open(self, heard: HeardConnections | None) -> None:
        """Open what a start needs, so that it is told where that cannot be done. Raises StoreUnavailable.

        Two connections are there if notifications are ``heard``.
        """
        try:
            if heard is not None:
                self._points.plain = heard.notifying
                await self._listener.take_over(heard.listening)
            await self._writer.open()
            await self.log_bounds()
        except BaseException:
            await self.close()
            raise

    def watch_head(self, tell: Callable[[int], None], tell_replaced: Callable[[int], None]) -> None:
        self._known.tell_replaced = tell_replaced
        self._listener.start(tell)

    def cached_job(self, job_id: str) -> Job | None:  # noqa: ARG002 - nothing that changes is kept here
        return None

    def cached_page(self, query: JobQuery) -> Page[Job] | None:  # noqa: ARG002 - see above
        return None

    def cached_workflow(self, name: str) -> Workflow | None:  # noqa: ARG002 - see above: names change
        return None

    async def load(self, job_ids: Collection[str], workflow_names: Collection[str], room: int) -> Snapshot:
        return await self._writer.load(job_ids, workflow_names, room)

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None = None) -> Applied:
        return await self._writer.apply(plan, checkpoint)

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        return await self._writer.perform(operation, now)

    async def read_jobs(self, job_ids: Sequence[str], room: int) -> Sequence[FoundJob]:
        return await self._points.read(partial(self._queries.jobs, ids=job_ids, room=room))

    async def read_large_job(self, job_id: str, room: int) -> FoundJob:
        (found,) = await self._searches.read(partial(self._queries.jobs, ids=[job_id], room=room))
        return found

    async def read_tombstone(self, job_id: str, since: Timestamp) -> Job:
        return await self._points.read(partial(self._queries.tombstone, job_id=job_id, since=since))

    async def read_pages(self, queries: Sequence[JobQuery], room: int) -> Sequence[Page[Job]]:
        found: dict[int, Page[Job]] = {}
        for descending in (False, True):
            some = {n: q for n, q in enumerate(queries) if q.paging.descending is descending and _is_plain(q)}
            if some:
                read = partial(self._queries.pages, queries=[*some.values()], room=room, descending=descending)
                pages = await self._pages.read(read)
                found |= zip(some, [_page(rows, jobs, descending) for rows, jobs in pages], strict=True)
        for n, query in enumerate(queries):
            if n not in found:
                found[n] = await self._search.page(query, room)
        return [found[n] for n in range(len(queries))]

    async def search_jobs(self, query: JobQuery, room: int) -> Page[Job]:
        return await self._search.page(query, room)

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        count = partial(job_summary.summarize, query=query)
        if not query.needs_rows:
            return await self._searches.read(count)
        async with self._looking_at_rows:
            return await self._searches.read(count)

    async def list_jobs(self, query: JobListQuery) -> JobList:
        return await self._searches.read(partial(job_list.list_jobs, query=query))

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        return await self._searches.read(partial(devices.list_devices, query=query))

    async def get_device(self, client_id: str) -> Device:
        return await self._pages.read(partial(devices.get_device, client_id=client_id))

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        return await self._searches.read(partial(job_list.select_jobs, query=query, with_ids=with_ids))

    async def read_on(self, rest: Rest[Any], room: int) -> Page[Any]:
        match rest.read_next:
            case MoreJobs() as more:
                return await self._search.go_on(more, room)
            case MoreHistory(job, before, limit):
                read: Callable[[Plain], Awaitable[Page[Any]]] = partial(
                    self._queries.more_history, job=job, before=before, limit=limit, room=room
                )
            case MoreWorkflows(sizes):
                read = partial(self._queries.more_workflows, sizes=sizes, room=room)
        return await self._searches.read(read)

    async def read_history(self, job_id: str, limit: int, before: int, room: int) -> Page[HistoryEntry]:
        return await self._pages.read(
            partial(self._queries.history, job_id=job_id, limit=limit, before=before, room=room)
        )

    async def read_workflow(self, name: str) -> Workflow:
        return await self._points.read(partial(self._queries.workflow, name=name))

    async def read_workflow_names(self, among: Collection[str]) -> set[str]:
        return await self._searches.read(partial(self._queries.workflow_names, among=among))

    async def read_workflows(self, paging: Paging, room: int) -> Page[Workflow]:
        return await self._searches.read(partial(self._queries.page_of_workflows, paging=paging, room=room))

    async def read_log(self, after: int, limit: int, room: int) -> Sequence[Event]:
        return await self._pages.read(partial(self._queries.log, after=after, limit=limit, room=room))

    async def read_consumers(self) -> Sequence[Consumer]:
        return await self._points.read(self._queries.consumers)

    async def read_bulk(self, key: str) -> BulkRecord | None:
        return await self._points.read(partial(bulk.read, key=key))

    async def bulk_results(self, key: str) -> Sequence[str]:
        return await self._points.read(partial(bulk.results, key=key))

    async def read_rules(self, question: RuleQuestion) -> Any:
        return await self._points.read(partial(rules.answer, question=question))

    async def read_scripts(self, question: ScriptQuestion) -> Any:
        return await self._points.read(partial(scripts.answer, question=question))

    async def log_bounds(self) -> LogBounds:
        return await self._points.read(self._queries.bounds)

    async def count_jobs(self) -> JobCounts:
        return await self._searches.read(figures.count_jobs)

    def caches(self) -> Sequence[CacheFigures]:
        return ()

    async def describe(self) -> DatabaseFigures:
        single = (self._writer, self._points, self._pages, self._listener, self.buckets, self._lock_check)
        connections = self._searches.open_ones + sum(each.is_open for each in single)
        return await self._points.read(partial(figures.describe, connections=connections))

    async def ping(self) -> None:
        try:
            read_only, unfit = await self._ask("ping")
        except StoreUnavailable as exc:
            if self._points.is_open and not isinstance(exc, ConnectionLost):
                await self._lock_check.require()  # what is asked there by others is not answered: perhaps of a lock
            raise
        if unfit:
            raise StoreUnavailable(f"the user of the database lacks these rights, or it the tables: {unfit}")
        if read_only:
            raise StoreUnavailable(READ_ONLY)
        if self._lock_check.is_due:
            await self._lock_check.require()
        until = asyncio.get_running_loop().time() + self._deadlines.known_down
        needed = (each for each in self._connections() if each is not self._listener.connection)
        await asyncio.gather(*(each.require(until) for each in needed))

    async def _answer(self) -> None:
        await self._ask("answer")

    async def _ask(self, question: str) -> Any:
        until = asyncio.get_running_loop().time() + self._deadlines.ping
        return await self._points.read(lambda plain: plain.fetchrow(SQL[question]), until)

    async def close(self) -> None:
        await self._listener.close()
        others = (self._writer, self._points, self._pages, self._searches, self.buckets, self._lock_check)
        await asyncio.gather(*(each.close() for each in others))


def _is_plain(query: JobQuery) -> bool:
    """Tell whether the statement for many clients knows all conditions of the query, and PostgreSQL all its texts."""
    return not query.tags and "\0" not in query.client_id + query.state + query.workflow + "".join(query.groups)


def _page(rows: Sequence[Any], jobs: Sequence[Job], descending: bool) -> Page[Job]:
    """Make the page of one client from its rows, of which the first ones fit."""
    if len(jobs) == len(rows):
        return Page(tuple(jobs))
    numbers = array("q", [row[0] for row in rows])
    following = rows[len(jobs)]
    return Page(tuple(jobs), rest=Rest(MoreJobs(numbers, len(jobs), descending), following[SHOWN]))
