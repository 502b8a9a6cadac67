"""Contract of a backend: stores what the one :class:`~wfx.store.batching_store.BatchingStore` in front of it plans.

The front calls :meth:`Backend.load`, :meth:`Backend.apply` and :meth:`Backend.perform` one after the other, never two
at a time, and reads whenever it likes. What is written is durable when the call returns. A call that raises a
StoreError has written nothing. Sequence numbers of events begin at 1 and have no gaps; jobs have an order, that of
their creation. How rows are numbered, and what is kept in memory, is up to the backend.

``room`` is how many bytes may be read, as in :mod:`wfx.store.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from wfx.domain.device import Device, DeviceList, DeviceQuery
from wfx.domain.errors import JobNotFound, Refused, SealedValueUnreadable, StoreBusy
from wfx.domain.job import Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.query import JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.buckets import BucketStore
from wfx.store.bulk import BulkRecord
from wfx.store.figures import CacheFigures, DatabaseFigures, JobCounts
from wfx.store.operations import Checkpoint, ExclusiveOperation
from wfx.store.plan import LoadedJob, Plan
from wfx.store.protocol import Consumer, LogBounds
from wfx.store.rule_records import RuleQuestion
from wfx.store.script_records import ScriptQuestion

FoundJob = Job | JobNotFound | int
"""A job, or what to raise, or how many bytes the job has if they are more than there is room for."""


class Snapshot(NamedTuple):
    """What a plan begins with."""

    jobs: Iterable[LoadedJob]
    workflows: Mapping[str, Workflow]
    large: Collection[str] = ()
    """Ids of jobs that have more bytes than there is room for. They may be among the jobs."""


class Applied(NamedTuple):
    """What became of a plan."""

    first_seq: int
    """The sequence number of the plan's first event; the others follow in order, without those of stale jobs."""
    stale: Collection[str] = ()
    """Ids of jobs that somebody else has changed since they were loaded: of these nothing was written."""


class JobsLocked(StoreBusy):
    """Nothing of a plan was written, since somebody holds a lock on some of its jobs; without these it may be."""

    def __init__(self, text: str, ids: Collection[str] = ()) -> None:
        """Name these jobs."""
        super().__init__(text)
        self.ids = ids


class EventTaken(Refused):
    """Nothing of a plan was written, since there is an answer to its event already."""


class Performed(NamedTuple):
    """What became of an exclusive operation."""

    result: Any = None
    """What the method of :class:`~wfx.store.protocol.Store` returns."""
    events: Sequence[Event] = ()
    """The events that it put on the log."""


class Backend(Protocol):
    """See the module's docstring for what holds of every call."""

    def watch_head(self, tell: Callable[[int], None], tell_replaced: Callable[[int], None]) -> None:
        """Call ``tell`` with the head of the log whenever it has grown by events that were not applied here.

        Call ``tell_replaced`` with it when the log turns out to be another one, with an identity of its own.
        """

    def cached_job(self, job_id: str) -> Job | None:
        """Return the job if no read is needed for that."""

    def cached_page(self, query: JobQuery) -> Page[Job] | None:
        """Return the answer to a query for few jobs of one client if no read is needed for that."""

    def cached_workflow(self, name: str) -> Workflow | None:
        """Return the workflow that has this name now if no read is needed for that."""

    async def load(self, job_ids: Collection[str], workflow_names: Collection[str], room: int) -> Snapshot:
        """Return the jobs and workflows that are there; of jobs with more bytes than ``room`` only their ids."""

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None = None) -> Applied:
        """Write what the plan says, all in one transaction; there is an event at least, or a checkpoint.

        With a step, of which the plan has the operations, the consumer's place is compared and moved in it, too, and
        nothing is written if one job is stale. Raises StepTaken and NotOnThisLog. The same holds for a slice of a bulk
        request and its record, if it has a key. Raises IdempotencyKeyInUse. And for an event from outside and its
        answer, which raises EventTaken, and for the end of a task, which raises TaskTaken. Records of rules are written
        with them. Raises SequenceTaken.
        """

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        """Do the operation in a transaction of its own; ``now`` is in microseconds.

        Raises what the method of :class:`~wfx.store.protocol.Store` raises.
        """

    async def read_jobs(self, job_ids: Sequence[str], room: int) -> Sequence[FoundJob]:
        """Return for each id its job, in one short read."""

    async def read_large_job(self, job_id: str, room: int) -> FoundJob:
        """Return a job whose reading may take long."""

    async def read_tombstone(self, job_id: str, since: Timestamp) -> Job:
        """Return the tombstone of a job that was deleted from this moment on. Raises JobNotFound."""

    async def read_pages(self, queries: Sequence[JobQuery], room: int) -> Sequence[Page[Job] | SealedValueUnreadable]:
        """Return a page for each query for few jobs of one client, in one short read."""

    async def search_jobs(self, query: JobQuery, room: int) -> Page[Job]:
        """Return a page of jobs; its search may take long."""

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        """Count the jobs of a query by state, and tell the position on the log of the same moment."""

    async def list_jobs(self, query: JobListQuery) -> JobList:
        """Return a page of rows, and the position on the log of the same moment."""

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        """Return a page of devices, and the position on the log of the same moment."""

    async def get_device(self, client_id: str) -> Device:
        """Return one device. Raises DeviceNotFound."""

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        """Tell which of the next jobs fulfil a query."""

    async def read_on(self, rest: Rest[Any], room: int) -> Page[Any]:
        """Return what follows of a page that came from here."""

    async def read_history(self, job_id: str, limit: int, before: int, room: int) -> Page[HistoryEntry]:
        """Return the newest entries of a job, of versions before this one. Raises JobNotFound."""

    async def read_workflow(self, name: str) -> Workflow:
        """Return the workflow. Raises WorkflowNotFound."""

    async def read_workflow_names(self, among: Collection[str]) -> set[str]:
        """Return those of these names, all of them Unicode text, that workflows have; in one statement."""

    async def read_workflows(self, paging: Paging, room: int) -> Page[Workflow]:
        """Return workflows ordered by name, bytewise."""

    async def read_log(self, after: int, limit: int, room: int) -> Sequence[Event]:
        """Return events after a position; durable ones only. Raises BehindHorizon and NotOnThisLog."""

    async def read_consumers(self) -> Sequence[Consumer]:
        """Return all consumers, ordered by name."""

    async def read_bulk(self, key: str) -> BulkRecord | None:
        """Return what is kept of a bulk request."""

    async def bulk_results(self, key: str) -> Sequence[str]:
        """Return what was written of its slices, in order."""

    async def read_rules(self, question: RuleQuestion) -> Any:
        """Return what the method of :class:`~wfx.store.rule_protocol.RuleStore` returns that asks this."""

    async def read_scripts(self, question: ScriptQuestion) -> Any:
        """Return what is asked for: a Script or None, or a sequence of ScriptHead."""

    async def log_bounds(self) -> LogBounds:
        """Return what the log holds now."""

    async def count_jobs(self) -> JobCounts:
        """Count the jobs by workflow and group, at one moment."""

    def caches(self) -> Sequence[CacheFigures]:
        """Tell how the caches do."""

    async def describe(self) -> DatabaseFigures:
        """Tell what the storage takes."""

    @property
    def buckets(self) -> BucketStore | None:
        """Where servers that share the database share buckets; None if there is one server only."""

    async def ping(self) -> None:
        """Prove that the backend answers. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Let go of every resource. Raises StoreLost as :meth:`wfx.store.protocol.Store.close` does."""
