"""Reads of known, small size, and those of one job's history, of workflows and of the log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from wfx.domain.errors import BehindHorizon, JobNotFound, NotOnThisLog, WorkflowNotFound
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.query import JobQuery, Page, Paging, Rest
from wfx.domain.workflow import Workflow
from wfx.store.backend import FoundJob
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rows import FITS, PLACE, SIZE, WORKFLOW, Row, event_of, history_entry_of, job_of, tombstone_from
from wfx.store.postgres.sealed_rows import ENTRY, EVENT, JOB, TOMBSTONE, opened, opened_jobs, opened_row, sealing_of
from wfx.store.postgres.statements import SQL, history, pages_of_clients, workflows_page
from wfx.store.postgres.texts import array_of
from wfx.store.postgres.workflows import Workflows
from wfx.store.protocol import Consumer, LogBounds
from wfx.store.sizes import fitting

_MOST = 2**63 - 1


class Queries:
    """The reads that need no search. Each is given the connection to use."""

    def __init__(self, workflows: Workflows) -> None:
        """Share the cache of workflows."""
        self._workflows = workflows

    async def jobs(self, plain: Plain, ids: Sequence[str], room: int) -> list[FoundJob]:
        """Return for each id its job, or how many bytes it has if they are more than ``room``, or what to raise."""
        wanted = [job_id for job_id in set(ids) if "\0" not in job_id]
        rows = await plain.fetch(SQL["jobs_by_id"], wanted, room)
        readable = [row for row in rows if row[SIZE] <= room]
        fit, damaged = opened_jobs(sealing_of(plain), readable, alone=len(ids) == 1)
        workflows = await self._workflows.numbered(plain, {row[WORKFLOW] for row in fit})
        found: dict[str, Job | int] = {row[1]: row[SIZE] for row in rows if row[SIZE] > room}
        found.update(damaged)
        found.update((row[1], job_of(row, workflows, row[15])) for row in fit if row[WORKFLOW] in workflows)
        return [found.get(job_id) or JobNotFound() for job_id in ids]

    async def tombstone(self, plain: Plain, job_id: str, since: int) -> Job:
        """Return what is told of a job that was deleted from this moment on."""
        row = None if "\0" in job_id else await plain.fetchrow(SQL["tombstone"], job_id, since)
        workflows = {} if row is None else await self._workflows.numbered(plain, {row[2]})
        if row is None or row[2] not in workflows:
            raise JobNotFound
        return tombstone_from(opened_row(sealing_of(plain), TOMBSTONE, row), workflows)

    async def pages(
        self, plain: Plain, queries: Sequence[JobQuery], room: int, *, descending: bool
    ) -> list[tuple[Sequence[Row], Sequence[Job]]]:
        """Return for each query for one client's jobs, in this order, the rows of its page and the jobs that fit."""
        columns = zip(*map(_values_of, queries), strict=True)
        rows = await plain.fetch(pages_of_clients(descending=descending), *columns, room)
        workflows = await self._workflows.numbered(plain, {row[WORKFLOW] for row in rows})
        pages: list[list[Row]] = [[] for _ in queries]
        for row in rows:
            if row[WORKFLOW] in workflows:
                pages[row[PLACE] - 1].append(row)
        sealing = sealing_of(plain)
        return [
            (page, [job_of(opened_row(sealing, JOB, row), workflows) for row in page if row[FITS]]) for page in pages
        ]

    async def history(self, plain: Plain, job_id: str, limit: int, before: int, room: int) -> Page[HistoryEntry]:
        """Return the newest entries of a job that are of versions before this one."""
        values = (job_id, min(before, _MOST), max(limit, 0), room)
        rows = [] if "\0" in job_id else await plain.fetch(history("job.id = $1"), *values)
        if not rows:
            raise JobNotFound
        return _entries(opened(sealing_of(plain), ENTRY, rows), max(limit, 0))

    async def more_history(self, plain: Plain, job: int, before: int, limit: int, room: int) -> Page[HistoryEntry]:
        """Return further entries of the job with this number; none if it is gone."""
        rows = await plain.fetch(history("job.number = $1"), job, before, limit, room)
        return _entries(opened(sealing_of(plain), ENTRY, rows), limit)

    async def workflow(self, plain: Plain, name: str) -> Workflow:
        """Return the workflow with this name."""
        found = await self._workflows.named(plain, [name])
        if name not in found:
            raise WorkflowNotFound(name)
        return found[name]

    async def workflow_names(self, plain: Plain, among: Collection[str]) -> set[str]:
        """Return those of these names that workflows have now."""
        rows = await plain.fetch(SQL["numbers_by_name"], [name for name in among if "\0" not in name])
        return {row[0] for row in rows}

    async def page_of_workflows(self, plain: Plain, paging: Paging, room: int) -> Page[Workflow]:
        """Return a page of workflows."""
        async with plain.transaction(isolation="repeatable_read", readonly=True):
            limit = paging.limit if paging.limit > 0 else None
            rows = await plain.fetch(workflows_page(descending=paging.descending), limit, max(paging.offset, 0))
            total = await plain.fetchval(SQL["workflows_total"]) if paging.with_total else None
            page = await self.more_workflows(plain, [tuple(row) for row in rows], room)
        return Page(page.items, total, page.rest)

    async def more_workflows(self, plain: Plain, sizes: Sequence[tuple[int, int]], room: int) -> Page[Workflow]:
        """Return those of these workflows, of which the number and the size are given, that are there and fit."""
        taken, following = fitting(sizes, lambda one: one[1], room)
        found = await self._workflows.numbered(plain, [number for number, _ in taken])
        workflows = tuple(found[number] for number, _ in taken if number in found)
        if following is None:
            return Page(workflows)
        return Page(workflows, rest=Rest(MoreWorkflows(sizes[len(taken) :]), following[1]))

    async def log(self, plain: Plain, after: int, limit: int, room: int) -> list[Event]:
        """Return events after a position; the first one however large it is."""
        rows: Sequence[Row] = await plain.fetch(SQL["events_after"], max(after, 0), max(limit, 0), max(room, 0))
        if not rows or rows[0][0] != after + 1:
            _require_on_log(await self.bounds(plain), after)
        readable = [*takewhile(lambda row: row[6] is not None, rows)]
        workflows = await self._workflows.numbered(plain, {row[5] for row in readable})
        if any(row[5] not in workflows for row in readable):  # pruned this very moment, with their workflows
            raise BehindHorizon((await self.bounds(plain)).oldest)
        events = [event_of(row, workflows) for row in opened(sealing_of(plain), EVENT, readable)]
        return fitting(events, _size_of_event, room, at_least=1)[0]

    async def bounds(self, plain: Plain) -> LogBounds:
        """Return what the log holds."""
        row = await plain.fetchrow(SQL["bounds"])
        assert row is not None, "the first migration makes it"
        log_id, horizon, head = row
        return LogBounds(log_id, horizon + 1, head)

    async def consumers(self, plain: Plain) -> list[Consumer]:
        """Return all consumers by name."""
        return [Consumer(*row) for row in await plain.fetch(SQL["consumers"])]


class MoreHistory(NamedTuple):
    """Where a page of history entries goes on."""

    job: int
    before: int
    limit: int


class MoreWorkflows(NamedTuple):
    """Where a page of workflows goes on: their numbers and sizes."""

    sizes: Sequence[tuple[int, int]]


def _values_of(query: JobQuery) -> tuple[Any, ...]:
    groups = None if not query.groups else array_of(query.groups)
    paging = query.paging
    return (query.client_id, query.state, query.workflow, groups, paging.limit, min(max(paging.offset, 0), _MOST))


def _entries(rows: Sequence[Row], limit: int) -> Page[HistoryEntry]:
    if rows[:1] and rows[0][1] is None:
        return Page(())
    entries = tuple(history_entry_of(row) for row in rows if row[6])
    if len(entries) == len(rows):
        return Page(entries)
    job, version, _, _, _, shown, *_ = rows[len(entries)]
    return Page(entries, rest=Rest(MoreHistory(job, version + 1, limit - len(entries)), shown))


def _size_of_event(event: Event) -> int:
    return len(event.payload) + (len(event.workflow.encoded) if event.action is Action.CREATE else 0)


def _require_on_log(bounds: LogBounds, after: int) -> None:
    """Raise unless ``after`` is the head, or was: there is nothing behind it, so it must be at the end."""
    if not 0 <= after <= bounds.head:
        raise NotOnThisLog(bounds.head, bounds.log_id)
    if after + 1 < bounds.oldest:
        raise BehindHorizon(bounds.oldest)
