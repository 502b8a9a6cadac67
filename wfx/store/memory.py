"""Store in memory, for tests: implements :class:`wfx.store.backend.Backend` by lists and dictionaries."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Any

from wfx.domain.device import Device, DeviceList, DeviceQuery
from wfx.domain.errors import (
    BehindHorizon,
    JobNotFound,
    NotOnThisLog,
    StoreUnavailable,
    WorkflowInUse,
    WorkflowNotFound,
    WorkflowNotUnique,
)
from wfx.domain.finished import MOST_TOMBSTONES
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.query import JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.backend import Applied, FoundJob, Performed, Snapshot
from wfx.store.batching_store import BatchingStore
from wfx.store.bulk import BulkRecord, SliceRecord
from wfx.store.figures import CacheFigures, DatabaseFigures, JobCounts
from wfx.store.history_bounds import size_of_entry
from wfx.store.job_filters import matches
from wfx.store.job_lists import accepts, has_values
from wfx.store.memory_bulk import MemoryBulk
from wfx.store.memory_consumers import MemoryConsumers
from wfx.store.memory_devices import MemoryDevices
from wfx.store.memory_jobs import MemoryJob
from wfx.store.memory_lists import list_jobs, select_jobs
from wfx.store.memory_log import number_to_drop
from wfx.store.memory_pages import read_page, read_piece, size_of_event, size_of_shown_job, size_of_workflow
from wfx.store.memory_rules import MemoryRules
from wfx.store.memory_scripts import MemoryScripts
from wfx.store.opening import system_clock
from wfx.store.operations import (
    Checkpoint,
    ClaimTasks,
    CreateWorkflow,
    DeleteDevice,
    DeleteScript,
    DeleteWorkflow,
    DescribeDevice,
    DropTasks,
    DropTombstones,
    EndLeases,
    ExclusiveOperation,
    HastenTasks,
    NoteSightings,
    OpenBulk,
    OpenConsumer,
    PruneLog,
    PutScript,
    ReplayTask,
    RunChores,
    TakeLease,
    TakeStep,
)
from wfx.store.plan import Clock, EventDraft, PendingJob, Plan, workflow_event
from wfx.store.protocol import Consumer, Lease, LogBounds
from wfx.store.rule_records import RuleQuestion
from wfx.store.script_records import ScriptQuestion
from wfx.store.sizes import AROUND_ENTRY, fitting, size_of


async def open_memory(clock: Clock = system_clock) -> BatchingStore:
    """Open an empty store, which is gone when it is closed."""
    return await BatchingStore.open(MemoryBackend(), clock)


class MemoryBackend:
    """A backend whose every call takes no time; nothing outlives it."""

    def __init__(self) -> None:
        self._workflows: dict[str, Workflow] = {}
        self._last_workflow = 0
        self._jobs: dict[str, MemoryJob] = {}  # in the order of creation
        self._numbers = count(1)
        self._tombstones: dict[str, Job] = {}  # in the order of deletion
        self._events: list[Event] = []
        self._horizon = 0
        self._consumers = MemoryConsumers()
        self._devices = MemoryDevices()
        self._bulk = MemoryBulk()
        self._rules = MemoryRules()
        self._scripts = MemoryScripts()
        self._log_id = token_hex(16)
        self._closed = False

    def watch_head(self, tell: Callable[[int], None], tell_replaced: Callable[[int], None]) -> None:
        """Ignore who wants to hear of others: nobody else writes."""

    def cached_job(self, job_id: str) -> Job | None:  # noqa: ARG002 - reads take no time here, but have a room
        return None

    def cached_page(self, query: JobQuery) -> Page[Job] | None:  # noqa: ARG002 - see above
        return None

    def cached_workflow(self, name: str) -> Workflow | None:
        return self._workflows.get(name)

    async def load(self, job_ids: Collection[str], workflow_names: Collection[str], room: int) -> Snapshot:
        self._require_open()
        jobs = [stored for job_id in job_ids if (stored := self._jobs.get(job_id))]
        workflows = {name: self._workflows[name] for name in workflow_names if name in self._workflows}
        return Snapshot(jobs, workflows, {stored.job.id for stored in jobs if size_of(stored.job) > room})

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None = None) -> Applied:
        moved = self._moved(checkpoint) if isinstance(checkpoint, TakeStep) else None
        if isinstance(checkpoint, SliceRecord):
            self._bulk.require(checkpoint)
        elif checkpoint is not None:
            self._rules.require(checkpoint)
        changed = [pending for pending in plan.jobs if pending.after is not pending.before]
        for pending in changed:
            if (job := pending.after) is not None and job.state not in job.workflow.positions:
                raise KeyError(job.state)
        if moved is not None:
            self._consumers.put(moved)
        if isinstance(checkpoint, SliceRecord):
            self._bulk.write(checkpoint)
        elif checkpoint is not None:
            self._rules.write(checkpoint)
        for pending in changed:
            self._store(pending)
        logged = self._log(plan.events)
        return Applied(self._head - len(logged) + 1)

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        self._require_open()
        match operation:
            case CreateWorkflow():
                return self._create_workflow(operation, now)
            case DeleteWorkflow():
                return self._delete_workflow(operation, now)
            case PruneLog():
                return Performed(self._prune_log(operation, now))
            case RunChores() | DropTombstones():
                return Performed(self._drop(operation, now))
            case OpenConsumer():
                return Performed(self._consumers.open(operation.name, self._head))
            case OpenBulk() | TakeLease() | EndLeases():
                result: Any = self._hold(operation, now)
            case NoteSightings() | DescribeDevice() | DeleteDevice():
                result = self._devices.perform(operation, self._all_jobs())
            case ClaimTasks() | ReplayTask() | HastenTasks() | DropTasks():
                result = self._rules.perform(operation, now)
            case PutScript() | DeleteScript():
                result = self._scripts.perform(operation, now)
        return Performed(result)

    def _drop(self, operation: RunChores | DropTombstones, now: int) -> int:
        if isinstance(operation, RunChores):
            dropped = self._bulk.drop_expired(now, operation.at_most)
            return dropped + self._rules.drop_expired(now, operation.at_most - dropped)
        return self._drop_tombstones(operation)

    def _hold(self, operation: OpenBulk | TakeLease | EndLeases, now: int) -> BulkRecord | Lease | None:
        if isinstance(operation, OpenBulk):
            return self._bulk.open(operation, now)
        return self._consumers.lease(operation, now)

    async def read_jobs(self, job_ids: Sequence[str], room: int) -> Sequence[FoundJob]:
        return [await self.read_large_job(job_id, room) for job_id in job_ids]

    async def read_large_job(self, job_id: str, room: int) -> FoundJob:
        if (job := self._job(job_id)) is None:
            return JobNotFound()
        return size if (size := size_of(job)) > room else job

    async def read_tombstone(self, job_id: str, since: Timestamp) -> Job:
        found = self._tombstones.get(job_id)
        if found is None or found.mtime < since:
            raise JobNotFound
        return found

    async def read_pages(self, queries: Sequence[JobQuery], room: int) -> Sequence[Page[Job]]:
        return [await self.search_jobs(query, room) for query in queries]

    async def search_jobs(self, query: JobQuery, room: int) -> Page[Job]:
        found = [job_id for job_id, stored in self._jobs.items() if matches(query, stored.job)]
        return read_page(found, query.paging, partial(read_piece, find=self._job, size=size_of_shown_job, room=room))

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        found = (
            stored.job for stored in self._jobs.values() if has_values(query, stored.job) and accepts(query, stored.job)
        )
        return JobSummary.of(found, self._log_id, self._head)

    async def list_jobs(self, query: JobListQuery) -> JobList:
        return list_jobs(query, self._jobs.values(), self._log_id, self._head)

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        return self._devices.list(query, self._all_jobs(), self._log_id, self._head)

    async def get_device(self, client_id: str) -> Device:
        return self._devices.get(client_id, self._all_jobs())

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        return select_jobs(query, self._jobs.values(), self._log_id, self._head, with_ids=with_ids)

    async def read_on(self, rest: Rest[Any], room: int) -> Page[Any]:
        read: Callable[..., Page[Any]] = rest.read_next
        return read(room=room)

    async def read_history(self, job_id: str, limit: int, before: int, room: int) -> Page[HistoryEntry]:
        if job_id not in self._jobs:
            raise JobNotFound
        entries = self._jobs[job_id].entries
        newest = [entry for version, entry in reversed(entries.items()) if version < before]
        find = partial(self._entry_of, job_id)
        return read_piece(newest[: max(limit, 0)], find, lambda entry: size_of_entry(entry) + AROUND_ENTRY, room)

    async def read_workflow(self, name: str) -> Workflow:
        return self._named(name)

    async def read_workflow_names(self, among: Collection[str]) -> set[str]:
        return self._workflows.keys() & set(among)

    async def read_workflows(self, paging: Paging, room: int) -> Page[Workflow]:
        names = sorted(self._workflows, key=str.encode)
        return read_page(names, paging, partial(read_piece, find=self._workflows.get, size=size_of_workflow, room=room))

    async def read_log(self, after: int, limit: int, room: int) -> Sequence[Event]:
        if not 0 <= after <= self._head:
            raise NotOnThisLog(self._head, self._log_id)
        if after < self._horizon:
            raise BehindHorizon(self._horizon + 1)
        start = after - self._horizon
        return fitting(self._events[start : start + max(limit, 0)], size_of_event, room, at_least=1)[0]

    async def read_consumers(self) -> Sequence[Consumer]:
        return self._consumers.all()

    async def read_bulk(self, key: str) -> BulkRecord | None:
        return self._bulk.read(key)

    async def bulk_results(self, key: str) -> Sequence[str]:
        return self._bulk.results(key)

    async def read_rules(self, question: RuleQuestion) -> Any:
        return self._rules.answer(question)

    async def read_scripts(self, question: ScriptQuestion) -> Any:
        return self._scripts.answer(question)

    async def log_bounds(self) -> LogBounds:
        return LogBounds(self._log_id, self._horizon + 1, self._head)

    async def count_jobs(self) -> JobCounts:
        return Counter((stored.job.workflow.name, stored.job.group) for stored in self._jobs.values())

    def caches(self) -> Sequence[CacheFigures]:
        return ()

    async def describe(self) -> DatabaseFigures:
        return DatabaseFigures(0, {}, {"kind": "memory"}, len(self._tombstones))

    @property
    def buckets(self) -> None:
        return None

    async def ping(self) -> None:
        self._require_open()

    async def close(self) -> None:
        self._closed = True

    @property
    def _head(self) -> int:
        return self._horizon + len(self._events)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    def _moved(self, step: TakeStep) -> Consumer:
        if step.upto > self._head:
            raise NotOnThisLog(self._head, self._log_id)
        return self._consumers.after(step)

    def _store(self, pending: PendingJob) -> None:
        match pending.before, pending.after:
            case Job() as before, None:
                del self._jobs[before.id]
                self._bury(pending.tombstone)
            case None, Job() as job:
                self._jobs[job.id] = MemoryJob(next(self._numbers), job._replace(version=1))
                self._jobs[job.id].change(job, pending.entries)
            case Job(), Job() as job:
                self._jobs[job.id].change(job, pending.entries)

    def _bury(self, tombstone: Job | None) -> None:
        if tombstone is not None:
            self._tombstones.pop(tombstone.id, None)
            self._tombstones[tombstone.id] = tombstone

    def _drop_tombstones(self, operation: DropTombstones) -> int:
        too_many = len(self._tombstones) - MOST_TOMBSTONES
        oldest = [*self._tombstones.values()][: max(operation.at_most, 0)]
        gone = [each.id for n, each in enumerate(oldest) if n < too_many or each.mtime < operation.older_than]
        for job_id in gone:
            del self._tombstones[job_id]
        return len(gone)

    def _log(self, drafts: Iterable[EventDraft]) -> Sequence[Event]:
        events = [Event(seq, *draft) for seq, draft in enumerate(drafts, self._head + 1)]
        self._events += events
        return events

    def _create_workflow(self, operation: CreateWorkflow, now: int) -> Performed:
        workflow = operation.workflow
        if workflow.name in self._workflows:
            raise WorkflowNotUnique(workflow.name)
        self._last_workflow += 1
        stored = self._workflows[workflow.name] = Workflow.from_encoded(workflow.encoded, self._last_workflow)
        return Performed(stored, self._log([workflow_event(Action.CREATE, stored, now, operation.cause)]))

    def _delete_workflow(self, operation: DeleteWorkflow, now: int) -> Performed:
        workflow = self._named(name := operation.name)
        if any(stored.job.workflow is workflow for stored in self._jobs.values()):
            raise WorkflowInUse(name)
        del self._workflows[name]
        return Performed(None, self._log([workflow_event(Action.DELETE, workflow, now, operation.cause)]))

    def _named(self, name: str) -> Workflow:
        if name not in self._workflows:
            raise WorkflowNotFound(name)
        return self._workflows[name]

    def _prune_log(self, operation: PruneLog, now: int) -> int:
        dropped = number_to_drop(self._events, operation, now)
        kept_for = self._head - operation.keep_for_consumers
        dropped = max(0, self._consumers.last_to_prune(self._horizon + dropped, kept_for) - self._horizon)
        self._consumers.move_to_horizon(self._horizon + dropped)
        del self._events[:dropped]
        self._horizon += dropped
        return dropped

    def _all_jobs(self) -> Iterable[Job]:
        return (stored.job for stored in self._jobs.values())

    def _job(self, job_id: str) -> Job | None:
        return stored.job if (stored := self._jobs.get(job_id)) else None

    def _entry_of(self, job_id: str, entry: HistoryEntry) -> HistoryEntry | None:
        return entry if job_id in self._jobs else None
