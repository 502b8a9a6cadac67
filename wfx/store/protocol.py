"""Contract of every store: atomic operations.

An operation that returns is durable: it survives the death of the process and of the machine, and its event is on the
log. An operation that raises has changed nothing. Decisions are pure functions that the caller passes in; the store
runs them on the job as the transaction finds it, so nobody ever decides on a stale job.

Operations may be called concurrently. One whose caller is cancelled happens or not, as a whole, and disturbs no other.

What may be large is read in pieces: callers say how many bytes, as the items are shown, they have ``room`` for, and a
page that has more tells its ``rest``, to be read on with :meth:`Store.read_on`. By default all is read at once.

The ``cause`` of a write is stored with its event.

Every operation may raise :class:`~wfx.domain.errors.StoreUnavailable`, and writes
:class:`~wfx.domain.errors.StoreFull`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from wfx.domain.cause import UNKNOWN, EncodedCause
from wfx.domain.device import Device, DeviceDescription, DeviceList, DeviceQuery, Sighting
from wfx.domain.job import Change, Draft, Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.query import Item, JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.begin import Begin, nothing
from wfx.store.buckets import BucketStore
from wfx.store.bulk_protocol import BulkStore
from wfx.store.figures import CacheFigures, DatabaseFigures, JobCounts, QueueFigures
from wfx.store.rule_protocol import RuleStore
from wfx.store.script_protocol import ScriptStore
from wfx.store.step_protocol import StepStore

EVERYTHING = 2**62
"""Room for whatever there is."""
DecideCreation = Callable[[Workflow], Draft]
"""Decides how a new job of this workflow starts; pure."""
DecideChange = Callable[[Job], Change]
"""Decides what becomes of the job, or raises a domain error; pure."""
RequireJob = Callable[[Job], None]
"""Raises a domain error unless something may be done with the job; pure."""
KEPT_FOR_CONSUMERS = 1_000_000
"""Events that are kept for consumers that have not read them, at most, unless somebody says otherwise."""

LONGEST_LEASE = 86_400
"""Seconds; a lease for longer would keep a chore undone for longer, too, once its holder is gone."""


class NoRoom(Exception):
    """A job is larger than the caller has room for; nothing of it was read."""

    def __init__(self, size: int) -> None:
        """Tell how many bytes its documents have."""
        super().__init__(size)
        self.size = size


@dataclass(frozen=True, slots=True)
class LogBounds:
    """What the log holds at one moment."""

    log_id: str
    """A random identity, given at creation and to each backup: positions are only comparable within it."""
    oldest: int
    """The smallest sequence number still kept; ``head + 1`` when nothing is."""
    head: int
    """The newest sequence number ever given; 0 on a fresh log."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable place on the log, by its name; see :meth:`Store.step`."""

    name: str
    position: int
    """The newest event that the consumer is done with."""
    steps: int
    """How many steps it has taken."""
    lost: int
    """How many events were pruned before it was done with them, in its whole life."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do a chore that is to run once at a time; see :meth:`Store.lease`."""

    name: str
    holder: str
    """Random identity of the store instance that has it."""
    epoch: int
    """The number of holders so far, this one among them."""
    until: Timestamp
    """When it ends unless it is renewed, by the store's clock."""


class LogFollower(Protocol):
    """A place at the end of the log: an asynchronous iterator; see :meth:`Store.follow_log`."""

    @property
    def head(self) -> int:
        """The newest event there is, as far as this server knows."""

    @property
    def is_ready(self) -> bool:
        """Whether the next events are at hand, so that nobody waits for them."""

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        """Return itself."""

    async def __anext__(self) -> Sequence[Event]:
        """Return the next events; wait for them if there are none."""

    async def aclose(self) -> None:
        """Stop following; who waits for events goes on, too."""


class Store(BulkStore, RuleStore, ScriptStore, StepStore, Protocol):
    """See the module's docstring for what holds of every operation."""

    async def create_workflow(
        self, workflow: Workflow, *, cause: EncodedCause = UNKNOWN, begin: Begin = nothing
    ) -> Workflow:
        """Store a checked workflow and return it with its number. Raises WorkflowNotUnique."""

    async def get_workflow(self, name: str) -> Workflow:
        """Return the workflow. Raises WorkflowNotFound."""

    async def workflow_names(self, among: Collection[str]) -> set[str]:
        """Return those of these names that workflows have; one look at the tables, however many there are."""

    async def query_workflows(self, paging: Paging, room: int = EVERYTHING) -> Page[Workflow]:
        """Return workflows ordered by name, bytewise."""

    async def delete_workflow(self, name: str, *, cause: EncodedCause = UNKNOWN, begin: Begin = nothing) -> None:
        """Remove the workflow. Raises WorkflowNotFound; WorkflowInUse while any job, finished or not, refers to it."""

    async def create_job(
        self, workflow: str, decide: DecideCreation, *, size: int = 0, cause: EncodedCause = UNKNOWN
    ) -> Job:
        """Create a job of the named workflow with a new id, version 1, stime = mtime = now. Raises WorkflowNotFound.

        ``size`` tells how many bytes of documents it brings: large changes are made one by one, after small ones.
        """

    async def get_job(self, job_id: str, room: int = EVERYTHING) -> Job:
        """Return the job. Raises JobNotFound, and NoRoom if it would have to be read and its documents have more bytes.

        What is in memory takes no room.
        """

    async def get_history(
        self, job_id: str, limit: int, *, before: int = EVERYTHING, room: int = EVERYTHING
    ) -> Page[HistoryEntry]:
        """Return the newest entries of a job, newest first, at most ``limit``, of versions before this one.

        Entries never change. What is read on ends early where the job is deleted meanwhile. Raises JobNotFound.
        """

    async def query_jobs(self, query: JobQuery, room: int = EVERYTHING) -> Page[Job]:
        """Return jobs in the order of their creation.

        That is what sorting by stime means here: stime alone leaves ties open, and goes back when the clock does. Which
        jobs a page has is decided at one moment. What is read on shows jobs as they are then, without deleted ones.
        """

    async def summarize_jobs(self, query: JobListQuery) -> JobSummary:
        """Count the jobs of a query, whatever its page, by workflow, group and state.

        All counts and the position on the log are of one moment. Conditions on times and on the beginning of client ids
        take a look at each job that fulfils the others, which keeps nobody waiting but those who count likewise.
        """

    async def list_jobs(self, query: JobListQuery) -> JobList:
        """Return a page of rows in the order of creation, or the opposite one, and the position of the same moment.

        One call looks at a bounded number of jobs and reads a bounded number of bytes, so a page may end early; then
        it tells where the next one begins.
        """

    async def select_jobs(self, query: JobListQuery, *, with_ids: bool) -> JobSelection:
        """Look at the next jobs of a query, and tell how many fulfil it, and which ones if that is asked for.

        One call looks at a bounded number of jobs; then it tells where the next ones begin.
        """

    async def read_on(self, rest: Rest[Item], room: int = EVERYTHING) -> Page[Item]:
        """Return what follows of a page; without items if they do not fit, or are gone, while there is a rest."""

    async def change_job(
        self, job_id: str, decide: DecideChange, *, size: int = 0, cause: EncodedCause = UNKNOWN
    ) -> Job:
        """Run the decision on the job as it is and record what it says: the job, one history entry, one event.

        The version rises by one; the new mtime is later than the old one whatever the clock says. Each change counts,
        also one that leaves everything as it was. ``size`` is that of :meth:`create_job`. Raises JobNotFound and
        whatever ``decide`` raises.
        """

    async def delete_job(
        self, job_id: str, *, require: RequireJob | None = None, cause: EncodedCause = UNKNOWN
    ) -> None:
        """Remove the job with its history, and leave its tombstone. Raises JobNotFound, and what ``require`` raises.

        Nobody sees the history any more, but it may be left to :meth:`run_chores` to drop it.
        """

    async def list_devices(self, query: DeviceQuery) -> DeviceList:
        """Return a page of devices in the order of their client ids, and the position that their jobs reflect.

        A device is a client that has jobs, was seen, or was described. One call looks at a bounded number of devices,
        so a page may end early; then it tells where the next one begins.
        """

    async def get_device(self, client_id: str) -> Device:
        """Return one device. Raises DeviceNotFound."""

    async def note_sightings(self, sightings: Sequence[Sighting], *, forgets: bool) -> int:
        """Note when devices were seen, each at most once, in one short transaction; callers give some hundreds.

        The latest sighting counts, whoever has noted it. Of devices that have neither jobs nor a description a bounded
        number is kept; if ``forgets``, those not seen for long make room. Returns how many were left out.
        """

    async def describe_device(
        self, client_id: str, description: DeviceDescription, expected: Collection[str] | None = None
    ) -> None:
        """Replace attributes and labels of a device, which is known from then on.

        Raises DeviceChanged unless the present ones have one of the expected tags, if these are given, or are as wanted
        already, since the answer may have been lost; and DeviceNotFound for an id that no device has.
        """

    async def delete_device(self, client_id: str) -> None:
        """Forget what is known of a device. Raises DeviceNotFound; DeviceInUse if it has jobs."""

    async def get_tombstone(self, job_id: str, since: Timestamp) -> Job:
        """Return what devices are told of a job that was deleted, from this moment on; its mtime is that of its end.

        See :func:`wfx.domain.finished.tombstone_after`. Raises JobNotFound: also once the job's workflow was deleted,
        too, and that is no longer on the log.
        """

    async def drop_tombstones(self, older_than: Timestamp, at_most: int) -> int:
        """Drop up to ``at_most`` of the oldest tombstones: from before this moment, or beyond what a store keeps.

        Returns how many were dropped. One call is one short transaction.
        """

    async def log_bounds(self) -> LogBounds:
        """Return what the log holds now."""

    async def read_log(self, after: int, limit: int, room: int = EVERYTHING) -> Sequence[Event]:
        """Return up to ``limit`` events with a number above ``after``, in order; none if ``after`` is the head.

        Those that have no room are left out, but not the first.

        Raises BehindHorizon when the event ``after + 1`` was pruned, NotOnThisLog when ``after`` lies ahead of the head
        (or is negative).
        """

    def follow_log(self) -> LogFollower:
        """Yield the events of each commit, in order and without gaps, from the moment of this call on.

        What is yielded is durable. The iterator starts listening when it is created, not when it is first awaited. A
        follower that falls far behind is served from the log again, so memory stays bounded; it raises BehindHorizon if
        what it needs was pruned meanwhile. Ends when the store is closed, or the iterator is, or another log has taken
        the place of this one, as :meth:`log_bounds` says then.
        """

    async def prune_log(
        self,
        *,
        keep_newest: int,
        older_than: Timestamp,
        at_most: int,
        keep_for_consumers: int = KEPT_FOR_CONSUMERS,
    ) -> int:
        """Drop up to ``at_most`` of the oldest events: beyond the newest ``keep_newest``, or before ``older_than``.

        Goes from the oldest on and stops at the first event to keep, so what remains has no gaps. Returns how many were
        dropped. One call is one short transaction: callers repeat it with pauses.

        Of the newest ``keep_for_consumers`` none is dropped before every consumer is done with it. Older ones are:
        consumers that are not done with them lose them. They go on behind them, and know how many they have lost.
        """

    async def consumer(self, name: str) -> Consumer:
        """Return the consumer with this name; a new one begins at the head of the log.

        Raises ValueError unless the name is Unicode text.
        """

    async def consumers(self) -> Sequence[Consumer]:
        """Return all consumers, ordered by name."""

    async def lease(self, name: str, ttl: float) -> Lease | None:
        """Take the lease with this name for so many seconds, or renew it; None while another store has it.

        The clock is that of the store. If it is set back, a lease that would last for more than twice ``ttl`` from then
        on is over: whoever asks for it takes it. So all who share a lease ask for it with about the same ``ttl``.
        Closing the store ends its leases.

        A lease saves work and proves nothing: who was stopped for long may still believe to have it. What must not
        happen twice is a step. Raises ValueError unless the name is Unicode text, and ``ttl`` more than 0 and at most
        :data:`LONGEST_LEASE`.
        """

    async def run_chores(self, at_most: int) -> int:
        """Do up to so much of the background work that the store has put off, and return how much that was.

        It is counted in rows to drop, such as those of a deleted job's history that was too long for one short
        transaction. One call is one short transaction, too; there is nothing left to do when it returns less.
        """

    async def count_jobs(self) -> JobCounts:
        """Count the jobs by workflow and group, at one moment; it may take as long as looking at all of them."""

    def caches(self) -> Sequence[CacheFigures]:
        """Tell how the caches do; a store may have none."""

    def queue(self) -> QueueFigures:
        """Tell how many changes wait."""

    async def describe(self) -> DatabaseFigures:
        """Tell what the storage takes."""

    @property
    def buckets(self) -> BucketStore | None:
        """Where servers that share the store share buckets; None if there is one server only."""

    async def ping(self) -> None:
        """Prove that the store answers. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Finish the writes that wait, then let go of every resource.

        Raises StoreLost, once that is done, if what was stored is not where the next start will look for it.
        """
