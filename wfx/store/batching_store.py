"""The store: implements :class:`wfx.store.protocol.Store` over any :class:`wfx.store.backend.Backend`.

What arrives together is written, and read, together; what waits is bounded; followers hear of each commit.
"""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex
from typing import Any, Self

from wfx.domain.cause import UNKNOWN, EncodedCause
from wfx.domain.device import Device, DeviceDescription, DeviceList, DeviceQuery, Sighting
from wfx.domain.errors import (
    DeviceNotFound,
    JobNotFound,
    NotFound,
    StepTaken,
    StoreError,
    StoreUnavailable,
    WorkflowNotFound,
)
from wfx.domain.job import Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.query import Item, JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.backend import Backend, FoundJob
from wfx.store.batch_writer import BatchWriter, are_events, brings_much, is_exclusive, is_stuck, is_text
from wfx.store.batching import Batcher, OnBatch, ignore_batch
from wfx.store.batching_rules import BatchingRules, settled
from wfx.store.batching_scripts import BatchingScripts
from wfx.store.begin import Begin, nothing
from wfx.store.buckets import BucketStore
from wfx.store.bulk import BulkRecord, SliceResult, TellSlice
from wfx.store.bulk_protocol import HELD
from wfx.store.device_lists import is_id
from wfx.store.feed import Feed, Follower
from wfx.store.figures import CacheFigures, DatabaseFigures, JobCounts, QueueFigures
from wfx.store.operations import (
    ChangeJob,
    CreateJob,
    CreateWorkflow,
    DeleteDevice,
    DeleteJob,
    DeleteWorkflow,
    DescribeDevice,
    DropTombstones,
    EndLeases,
    JobOperation,
    NoteSightings,
    OpenBulk,
    OpenConsumer,
    PruneLog,
    RunChores,
    TakeLease,
    TakeSlice,
    TakeStep,
)
from wfx.store.plan import Clock
from wfx.store.protocol import (
    EVERYTHING,
    KEPT_FOR_CONSUMERS,
    LONGEST_LEASE,
    Consumer,
    DecideChange,
    DecideCreation,
    Lease,
    LogBounds,
    NoRoom,
    RequireJob,
)
from wfx.store.rule_records import NOTHING, RuleRecords

_WRITES_WAITING = 4096
_WRITES_TOGETHER = 128
_READS_WAITING = 16384
_READS_TOGETHER = 256
_POLLS_TOGETHER = 32
_POLL_LIMIT = 100
_HELD = HELD * 1_000_000
_SMALL = 64 * 1024
"""Bytes of a job, and of a page of jobs, that are read together with others. What has more is read alone."""


class BatchingStore(BatchingRules, BatchingScripts):
    """Made by :meth:`open`."""

    def __init__(self, backend: Backend, bounds: LogBounds, clock: Clock, on_batch: OnBatch) -> None:
        """Start the tasks, with a log that has these bounds now."""
        self.backend = backend
        self._cached_job = backend.cached_job
        self._clock = clock
        self._holder = token_hex(16)
        self._has_leases = False
        self._closing = False
        self._task_observers = []
        self._feed = Feed(bounds.head, self.read_log)
        backend.watch_head(self._feed.advance, self._feed.start_over)
        self._writes = Batcher(
            BatchWriter(backend, self._feed, clock).write,
            at_most_waiting=_WRITES_WAITING,
            at_most_together=_WRITES_TOGETHER,
            exclusive=is_exclusive,
            joins=are_events,
            large=brings_much,
            stuck=is_stuck,
            on_batch=on_batch,
        )
        self._reads = Batcher(self._read_jobs, at_most_waiting=_READS_WAITING, at_most_together=_READS_TOGETHER)
        self._polls = Batcher(self._read_pages, at_most_waiting=_READS_WAITING, at_most_together=_POLLS_TOGETHER)

    @classmethod
    async def open(cls, backend: Backend, clock: Clock, on_batch: OnBatch = ignore_batch) -> Self:
        """Start a store over the backend, which it closes in the end; ``on_batch`` observes the batches of changes."""
        return cls(backend, await backend.log_bounds(), clock, on_batch)

    async def create_workflow(
        self, workflow: Workflow, *, cause: EncodedCause = UNKNOWN, begin: Begin = nothing
    ) -> Workflow:
        created: Workflow = await self._writes.submit(CreateWorkflow(workflow, cause, begin))
        return created

    async def get_workflow(self, name: str) -> Workflow:
        _require_text(name, WorkflowNotFound(name))
        known = self.backend.cached_workflow(name)
        return await self.backend.read_workflow(name) if known is None else known

    async def workflow_names(self, among: Collection[str]) -> set[str]:
        names = [name for name in among if is_text(name)]
        return await self.backend.read_workflow_names(names) if names else set()

    async def query_workflows(self, paging: Paging, room: int = EVERYTHING) -> Page[Workflow]:
        return await self.backend.read_workflows(_bounded_paging(paging), _bounded(room))

    async def delete_workflow(self, name: str, *, cause: EncodedCause = UNKNOWN, begin: Begin = nothing) -> None:
        _require_text(name, WorkflowNotFound(name))
        await self._writes.submit(DeleteWorkflow(name, cause, begin))

    def create_job(
        self, workflow: str, decide: DecideCreation, *, size: int = 0, cause: EncodedCause = UNKNOWN
    ) -> Coroutine[Any, Any, Job]:
        return self._writes.submit(CreateJob(workflow, decide, size, cause))

    async def get_job(self, job_id: str, room: int = EVERYTHING) -> Job:
        if (known := self._cached_job(job_id)) is not None:
            return known
        _require_text(job_id, JobNotFound())
        room = _bounded(room)
        found: FoundJob = await self._reads.submit(job_id)
        while isinstance(found, int):
            if found > room:
                raise NoRoom(found)
            found = await self.backend.read_large_job(job_id, room)
        if isinstance(found, JobNotFound):
            raise found
        return found

    async def get_history(
        self, job_id: str, limit: int, *, before: int = EVERYTHING, room: int = EVERYTHING
    ) -> Page[HistoryEntry]:
        _require_text(job_id, JobNotFound())
        return await self.backend.read_history(job_id, _bounded(limit), _bounded(before), _bounded(room))

    async def query_jobs(self, query: JobQuery, room: int = EVERYTHING) -> Page[Job]:
        if _is_poll(query):
            if (known := self.backend.cached_page(query)) is not None:
                return known
            page: Page[Job] = await self._polls.submit(query)
            if page.rest is None or room <= _SMALL:
                return page
        elif abs(query.paging.limit) > EVERYTHING:
            query = replace(query, paging=_bounded_paging(query.paging))
        return await self.backend.search_jobs(query, _bounded(room))

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        return await self.backend.summarize_jobs(query)

    async def list_jobs(self, query: JobListQuery) -> JobList:
        return await self.backend.list_jobs(query)

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        return await self.backend.list_devices(query)

    async def get_device(self, client_id: str) -> Device:
        _require_device(client_id)
        return await self.backend.get_device(client_id)

    async def note_sightings(self, sightings: Sequence[Sighting], *, forgets: bool) -> int:
        noted = sorted(each for each in sightings if is_id(each.client_id) and is_text(each.client_id))
        if not noted:
            return len(sightings)
        left_out: int = await self._writes.submit(NoteSightings(noted, self._clock(), forgets))
        return left_out + len(sightings) - len(noted)

    async def describe_device(
        self, client_id: str, description: DeviceDescription, expected: Collection[str] | None = None
    ) -> None:
        _require_device(client_id)
        await self._writes.submit(DescribeDevice(client_id, description, expected))

    async def delete_device(self, client_id: str) -> None:
        _require_device(client_id)
        await self._writes.submit(DeleteDevice(client_id))

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        return await self.backend.select_jobs(query, with_ids=with_ids)

    async def read_on(self, rest: Rest[Item], room: int = EVERYTHING) -> Page[Item]:
        return await self.backend.read_on(rest, _bounded(room))

    def change_job(
        self, job_id: str, decide: DecideChange, *, size: int = 0, cause: EncodedCause = UNKNOWN
    ) -> Coroutine[Any, Any, Job]:
        return self._writes.submit(ChangeJob(job_id, decide, size, cause))

    async def delete_job(
        self, job_id: str, *, require: RequireJob | None = None, cause: EncodedCause = UNKNOWN
    ) -> None:
        await self._writes.submit(DeleteJob(job_id, cause, require=require))

    async def get_tombstone(self, job_id: str, since: Timestamp) -> Job:
        _require_text(job_id, JobNotFound())
        return await self.backend.read_tombstone(job_id, Timestamp(_bounded(since)))

    async def drop_tombstones(self, older_than: Timestamp, at_most: int) -> int:
        dropped: int = await self._writes.submit(DropTombstones(Timestamp(_bounded(older_than)), _bounded(at_most)))
        return dropped

    async def log_bounds(self) -> LogBounds:
        return await self.backend.log_bounds()

    async def read_log(self, after: int, limit: int, room: int = EVERYTHING) -> Sequence[Event]:
        return await self.backend.read_log(_bounded(after), _bounded(limit), _bounded(room))

    def follow_log(self) -> Follower:
        return self._feed.follow()

    async def prune_log(
        self,
        *,
        keep_newest: int,
        older_than: Timestamp,
        at_most: int,
        keep_for_consumers: int = KEPT_FOR_CONSUMERS,
    ) -> int:
        pruning = PruneLog(
            keep_newest=_bounded(keep_newest),
            older_than=Timestamp(_bounded(older_than)),
            at_most=_bounded(at_most),
            keep_for_consumers=_bounded(keep_for_consumers),
        )
        dropped: int = await self._writes.submit(pruning)
        return dropped

    async def consumer(self, name: str) -> Consumer:
        _require_name("consumer", name)
        opened: Consumer = await self._writes.submit(OpenConsumer(name))
        return opened

    async def consumers(self) -> Sequence[Consumer]:
        return await self.backend.read_consumers()

    async def step(
        self,
        consumer: str,
        after: int,
        number: int,
        upto: int,
        operations: Sequence[JobOperation],
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        _require_name("consumer", consumer)
        if upto < after:
            raise ValueError(f"a step goes forward, but this one would go from event {after} back to {upto}")
        if (after, number) != (
            _bounded(after),
            _bounded(number),
        ):  # no consumer comes so far, and no database looks for it
            raise StepTaken(consumer, after, number)
        records = records if records is NOTHING else settled(records)
        step = TakeStep(consumer, after, number, _bounded(upto), tuple(operations), records, self._clock())
        answers: Sequence[Any] = await self._writes.submit(step)
        self._tell_tasks(records)
        return answers

    async def read_bulk(self, key: str) -> BulkRecord | None:
        return await self.backend.read_bulk(key)

    async def open_bulk(self, key: str, record: BulkRecord) -> BulkRecord:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        self._has_leases = True
        opened: BulkRecord = await self._writes.submit(OpenBulk(key, record, self._holder, _HELD))
        return opened

    async def take_slice(
        self, key: str | None, done: int, items: Sequence[Sequence[JobOperation]], tell: TellSlice
    ) -> SliceResult:
        result: SliceResult = await self._writes.submit(TakeSlice(key, self._holder, _HELD, done, items, tell))
        return result

    async def bulk_results(self, key: str) -> Sequence[str]:
        return await self.backend.bulk_results(key)

    async def lease(self, name: str, ttl: float) -> Lease | None:
        _require_name("lease", name)
        if not 0 < ttl <= LONGEST_LEASE:
            raise ValueError(f"a lease holds for more than 0 seconds and at most {LONGEST_LEASE:,}, and not for {ttl}")
        if self._closing:
            raise StoreUnavailable("the store is closed")
        self._has_leases = True
        lease: Lease | None = await self._writes.submit(TakeLease(name, self._holder, max(int(ttl * 1e6), 1)))
        return lease

    async def run_chores(self, at_most: int) -> int:
        done: int = await self._writes.submit(RunChores(_bounded(at_most)))
        return done

    async def count_jobs(self) -> JobCounts:
        return await self.backend.count_jobs()

    def caches(self) -> Sequence[CacheFigures]:
        return self.backend.caches()

    def queue(self) -> QueueFigures:
        return QueueFigures(self._writes.waiting, _WRITES_WAITING)

    async def describe(self) -> DatabaseFigures:
        return await self.backend.describe()

    @property
    def buckets(self) -> BucketStore | None:
        return self.backend.buckets

    async def ping(self) -> None:
        for batcher in (self._writes, self._reads, self._polls):
            batcher.require()
        await self.backend.ping()

    async def close(self) -> None:
        self._closing = True
        if self._has_leases:
            with suppress(StoreError):  # they end by themselves, only later
                await self._writes.submit(EndLeases(self._holder))
        await self._writes.close()
        await self._reads.close()
        await self._polls.close()
        self._feed.close()
        await self.backend.close()

    async def _read_jobs(self, job_ids: Sequence[str]) -> Sequence[Any]:
        return await self.backend.read_jobs(job_ids, _SMALL)

    async def _read_pages(self, queries: Sequence[JobQuery]) -> Sequence[Any]:
        return await self.backend.read_pages(queries, _SMALL)


def _is_poll(query: JobQuery) -> bool:
    """Tell whether this is what devices ask all the time: some of their own, few jobs. It needs no search."""
    return bool(query.client_id) and 0 < query.paging.limit <= _POLL_LIMIT and not query.paging.with_total


def _require_text(key: str, otherwise: NotFound) -> None:
    """Raise unless the key is Unicode text."""
    if not is_text(key):
        raise otherwise


def _require_device(client_id: str) -> None:
    """Raise unless a device may have this client id."""
    if not is_id(client_id) or not is_text(client_id):
        raise DeviceNotFound(client_id)


def _require_name(kind: str, name: str) -> None:
    """Raise ValueError unless the name of a consumer or lease is Unicode text."""
    if not is_text(name):
        raise ValueError(f"the name of a {kind} is Unicode text, and not {name!a}")


def _bounded(number: int) -> int:
    """Return a number that databases take, with 64 bits; what is farther from 0 means the same as this."""
    return max(-EVERYTHING, min(number, EVERYTHING))


def _bounded_paging(paging: Paging) -> Paging:
    return replace(paging, offset=_bounded(paging.offset), limit=_bounded(paging.limit))
