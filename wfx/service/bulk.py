"""Bulk requests: many jobs created, changed or deleted in slices between the requests of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import NamedTuple

from wfx.domain.cause import EncodedCause
from wfx.domain.errors import (
    CommandTimedOut,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    SelectionTooLarge,
    StoreError,
    TooManyStarted,
)
from wfx.domain.job import Draft
from wfx.domain.job_list import JobListQuery
from wfx.domain.json import Json, decode, encode
from wfx.domain.workflow import Workflow
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.bulk_preview import Previews
from wfx.service.bulk_work import BulkWork, ItemOperations, JobResult
from wfx.service.command import Command
from wfx.service.guard import Guard
from wfx.service.request_cause import present_cause
from wfx.store.bulk import BulkRecord, ItemOutcome, SliceResult
from wfx.store.operations import CreateJob
from wfx.store.protocol import Store

MOST = 10_000
"""Jobs of one request."""
_ITEMS, _BYTES = 32, 128 * 1024
"""What a slice has at most: jobs, and bytes that they bring; the first job brings any."""
_LONGEST_PAUSE = 0.1
"""Seconds from a slice to the next one, at most."""


class LogPosition(NamedTuple):
    """A position on the log, or in the order of creation: a number, and the log by whose identity it is known."""

    log_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Targets:
    """Which jobs a bulk request is about; fixed when it begins."""

    count: int
    """How many were given, or meet the conditions."""
    total: int
    """How many of these the request is for."""
    position: LogPosition
    """On the log, before anything was changed."""
    ids: Sequence[str] = ()
    """Their ids; none for jobs to be created."""
    next: LogPosition | None = None
    """Behind the last of them, if others are left."""

    @property
    def encoded(self) -> str:
        """What is kept of it."""
        following = None if self.next is None else [*self.next]
        return encode([self.count, self.total, [*self.position], following, self.ids]).decode()

    @classmethod
    def read(cls, text: str) -> Targets:
        """Read what was kept."""
        count, total, position, following, ids = decode(Json(text.encode()))
        return cls(count, total, LogPosition(*position), ids, following and LogPosition(*following))


Show = Callable[[JobResult], bytes]
"""Writes the result of one job."""


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """What became of a bulk request."""

    targets: Targets
    failed: int
    results: Sequence[str]
    """Of the jobs in order, written by ``show``, some in each text with commas between."""


class Key(NamedTuple):
    """An idempotency key, and what tells requests apart."""

    name: str
    fingerprint: str


class BulkJobs:
    """Carries out bulk requests; all methods raise what the store raises."""

    def __init__(
        self, store: Store, created: BoundedCounts, guard: Guard, clock: Callable[[], float] = perf_counter
    ) -> None:
        """Work on this store, within what the guard allows; count the jobs that are created; pause by this clock."""
        self.previews = Previews(store)
        self._store = store
        self._created = created
        self._guard = guard
        self._clock = clock
        self._turn = asyncio.Lock()
        self._pause_until = 0.0
        """When the next slice may begin, of whatever request."""
        self._running: set[str] = set()
        """The keys of the requests that are carried out here."""

    async def given(self, total: int, ids: Sequence[str] = ()) -> Targets:
        """Return the targets of a request that names them all."""
        bounds = await self._guard.in_time(lambda _: self._store.log_bounds())
        return Targets(total, total, LogPosition(bounds.log_id, bounds.head), ids)

    async def select(self, query: JobListQuery, expect: int | None) -> Targets:
        """Find the first jobs of a query, up to its limit, and count all.

        Raises SelectionTooLarge if they are more than expected; None expects as many as the limit.
        """
        taken: list[tuple[int, str]] = []
        first = page = await self._store.select_jobs(query, with_ids=True)
        count = first.count
        taken += first.jobs[: query.limit]
        while page.next is not None:
            following = replace(query, after=page.next)
            page = await self._store.select_jobs(following, with_ids=len(taken) < query.limit)
            count += page.count
            taken += page.jobs[: query.limit - len(taken)]
        if expect is not None and count > expect:
            raise SelectionTooLarge(count, expect)
        behind = LogPosition(first.log_id, taken[-1][0]) if taken and count > len(taken) else None
        ids = [job_id for _, job_id in taken]
        return Targets(count, len(ids), LogPosition(first.log_id, first.position), ids, behind)

    async def run(
        self, work: BulkWork, find: Callable[[], Awaitable[Targets]], show: Show, key: Key | None
    ) -> BulkAnswer:
        """Carry out a request, whose targets are found when it begins, or what is left of it.

        Without a key, a failure of the store is the result of all jobs that were not come to, unless that is all; so is
        that a slice did not begin in time. With one it is raised, and the same request goes on later. Raises
        IdempotencyKeyReused and IdempotencyKeyInUse.
        """
        if key is None:
            return await self._run_once(_Run(work, await find(), show, present_cause()))
        if key.name in self._running:
            raise IdempotencyKeyInUse
        self._running.add(key.name)
        try:
            record = await self._opened(key, find)
            run = _Run(work, Targets.read(record.content), show, present_cause())
            failed = record.failed
            async for result in self._slices(run, key.name, record.done):
                failed += result.failed
            results = await self._store.bulk_results(key.name)
            if run.targets.total and not results:  # it was dropped meanwhile
                raise IdempotencyKeyInUse
            return BulkAnswer(run.targets, failed, results)
        finally:
            self._running.discard(key.name)

    async def _opened(self, key: Key, find: Callable[[], Awaitable[Targets]]) -> BulkRecord:
        """Return the record of a request: a new one, or what is known of it, taken over unless it is done."""
        record = await self._guard.in_time(lambda _: self._store.read_bulk(key.name))
        if record is None:
            targets = await find()
            record = BulkRecord(key.fingerprint, targets.encoded, targets.total)
        elif record.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused
        if record.is_done and record.total:
            return record
        return await self._guard.in_time(partial(self._open, key.name, record))

    async def _open(self, key: str, record: BulkRecord, _command: Command) -> BulkRecord:
        """Begin with a request or go on with it, which changes no job."""
        return await self._store.open_bulk(key, record)

    async def _run_once(self, run: _Run) -> BulkAnswer:
        results: list[SliceResult] = []
        try:
            async for result in self._slices(run, None, 0):
                results.append(result)  # noqa: PERF401 - those before a failure count
        except (StoreError, CommandTimedOut) as exc:
            if not results:
                raise
            results.append(run.left_undone(sum(each.items for each in results), exc))
        return BulkAnswer(run.targets, sum(each.failed for each in results), [each.text for each in results])

    async def _slices(self, run: _Run, key: str | None, done: int) -> AsyncIterator[SliceResult]:
        """Do slice after slice, with time for others before each one."""
        while done < run.targets.total:
            async with self._turn:
                await asyncio.sleep(self._pause_until - self._clock())
                began = self._clock()
                items = run.slice_at(done)
                if self._guard.limits_creations:
                    items = await asyncio.gather(*(self._within_limits(run, *each) for each in enumerate(items, done)))
                if self._guard.limits_repetitions:
                    items = await asyncio.gather(*map(self._guard.within_repetitions, items))
                result = await self._guard.in_time(partial(self._take, key, done, items, run))
                ended = self._clock()
                self._pause_until = ended + min(ended - began, _LONGEST_PAUSE)
            for workflow in result.created:
                self._created.note(workflow)
            done += result.items
            yield result

    async def _take(
        self, key: str | None, done: int, items: Sequence[ItemOperations], run: _Run, command: Command
    ) -> SliceResult:
        """Do a slice, which begins when its items are planned and what became of them is told."""

        def tell(outcomes: Sequence[ItemOutcome]) -> SliceResult:
            command.begin()
            return run.tell(done, outcomes)

        return await self._store.take_slice(key, done, items, tell)

    async def _within_limits(self, run: _Run, place: int, item: ItemOperations) -> ItemOperations:
        """Return an item, or one that is refused in its place if it creates a job beyond a limit.

        Only jobs that are there end a slice early, so no item asks twice.
        """
        operation = item[0]
        if not isinstance(operation, CreateJob):
            return item
        client_id = run.client_id(place)
        refusal = await self._guard.start_refusal(operation.workflow, operation.decide, client_id)
        return item if refusal is None else (operation._replace(decide=partial(_refuse, refusal)),)


def _refuse(refusal: TooManyStarted, _workflow: Workflow) -> Draft:
    raise refusal.with_traceback(None)


class _Run:
    """A request that is carried out."""

    def __init__(self, work: BulkWork, targets: Targets, show: Show, cause: EncodedCause) -> None:
        self.targets = targets
        self._work = work
        self._show = show
        self._cause = cause

    def slice_at(self, first: int) -> Sequence[ItemOperations]:
        """Return the items of the slice that begins at this place."""
        items: list[ItemOperations] = []
        room = _BYTES
        for place in range(first, min(first + _ITEMS, self.targets.total)):
            item = self._work.item(place, self._target(place), self._cause)
            room -= sum(getattr(operation, "size", 0) for operation in item)
            if items and room < 0:
                break
            items.append(item)
        return items

    def client_id(self, place: int) -> str:
        """Return the client of the job that is to be created at a place."""
        return self._work.client_id(place)

    def tell(self, first: int, outcomes: Sequence[ItemOutcome]) -> SliceResult:
        """Write what became of the first items of a slice."""
        results = [self._result(place, outcome) for place, outcome in enumerate(outcomes, first)]
        created = [each.after.workflow.name for each in outcomes if each.after and not each.before]
        return self._written(results)._replace(created=created)

    def left_undone(self, first: int, error: Exception) -> SliceResult:
        """Write that all items from a place on have failed."""
        nothing = ItemOutcome(None, None, error)
        return self._written([self._result(place, nothing) for place in range(first, self.targets.total)])

    def _result(self, place: int, outcome: ItemOutcome) -> JobResult:
        job = outcome.after or outcome.before
        if job is None:
            return JobResult(self._target(place), self._work.client_id(place), "", "", outcome.error)
        return JobResult(job.id, job.client_id, job.state, "" if outcome.error else self._work.outcome, outcome.error)

    def _written(self, results: Sequence[JobResult]) -> SliceResult:
        text = b",".join(map(self._show, results)).decode()
        return SliceResult(len(results), sum(each.error is not None for each in results), text)

    def _target(self, place: int) -> str:
        return self.targets.ids[place] if self.targets.ids else ""
