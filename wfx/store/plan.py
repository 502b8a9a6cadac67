"""Plan of a batch: applies job operations in memory, before any row is written.

Backend-neutral and free of I/O. Since every decision is taken here, an act that is refused has touched no table, and
several changes of one job cost one row written: only its last image counts, while every history entry and every event
is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wfx.domain import job_json
from wfx.domain.errors import JobNotFound, WorkflowNotFound
from wfx.domain.job import Action, Change, Event, HistoryEntry, Job
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob, JobOperation, job_id

Clock = Callable[[], int]
"""Tells the time in microseconds since 1970 in UTC."""

MOST_HISTORY_ENTRIES = 20_000
"""Entries that a history may have; beyond, the middle is dropped. An answer shows 8,192 of them."""
MOST_HISTORY_BYTES = 32 * 1024 * 1024
"""Bytes that the documents of a history may have together; beyond, the middle is dropped."""


class StoredJob(NamedTuple):
    """A job as the tables have it."""

    number: int
    """The store's number for the job; the order of numbers is the order of creation."""
    newest_entry: int | None
    """The store's number for its newest history entry."""
    history_bytes: int
    """Bytes of the documents in its history."""
    history_dropped: int
    """Entries that were dropped from the middle of its history."""
    job: Job


class HistoryRow(NamedTuple):
    """A history entry to add."""

    number: int
    """The store's number for it."""
    earlier: int | None
    """The number of the entry before it."""
    version: int
    """The version of the job that it describes."""
    former: HistoryEntry


@dataclass(slots=True)
class PendingJob:
    """One job in the course of a plan."""

    number: int
    newest_entry: int | None
    history_bytes: int
    history_dropped: int
    """As in :class:`StoredJob`."""
    before: Job | None
    """As the tables have it; None if they do not."""
    after: Job | None
    """As it is now; None once it is deleted."""
    entries: list[HistoryRow] = field(default_factory=list)
    """The history entries to add."""

    @property
    def stored(self) -> StoredJob | None:
        """What the tables have once the image is written; None if nothing."""
        if self.after is None:
            return None
        return StoredJob(self.number, self.newest_entry, self.history_bytes, self.history_dropped, self.after)

    @property
    def has_long_history(self) -> bool:
        """Whether the history that is to be stored is beyond its bounds."""
        if not self.entries or self.after is None:
            return False
        kept = self.after.version - 1 - self.history_dropped
        return self.history_bytes > MOST_HISTORY_BYTES or kept > MOST_HISTORY_ENTRIES


class Plan:
    """Performs job acts on images of the jobs, in order; each act sees what the ones before it did."""

    def __init__(
        self,
        jobs: Iterable[StoredJob],
        workflows: Mapping[str, Workflow],
        *,
        head: int,
        last_number: int,
        last_entry: int,
        clock: Clock,
    ) -> None:
        """Start from the stored jobs and the workflows, both as far as the acts name them."""
        self._images = {stored.job.id: PendingJob(*stored, after=stored.job) for stored in jobs}
        self._workflows = workflows
        self._clock = clock
        self.head = head
        """The sequence number of the newest event."""
        self.last_number = last_number
        """The highest number given to a job."""
        self.last_entry = last_entry
        """The highest number given to a history entry."""
        self.events: list[Event] = []

    @property
    def images(self) -> Iterable[PendingJob]:
        """Every job that was there or came to be."""
        return self._images.values()

    def perform(self, act: JobOperation) -> Job | None:
        """Do one act and return the job it leaves, if any. What raises has changed nothing."""
        match act:
            case CreateJob():
                return self._create(act)
            case ChangeJob():
                return self._change(act)
            case DeleteJob():
                self._delete(act)
        return None

    def _create(self, act: CreateJob) -> Job:
        workflow = self._workflows.get(act.workflow)
        if workflow is None:
            raise WorkflowNotFound(act.workflow)
        draft = act.decide(workflow)
        now = Timestamp(self._clock())
        job = Job(
            id=job_id(now),
            client_id=draft.client_id,
            workflow=workflow,
            state=draft.state,
            status=draft.status,
            definition_hash=draft.definition_hash,
            definition=draft.definition,
            tags=draft.tags,
            stime=now,
            mtime=now,
        )
        self._record(Action.CREATE, job, now, job_json.created(job, draft.asked_tags))
        self.last_number += 1
        self._images[job.id] = PendingJob(self.last_number, None, 0, 0, None, job)
        return job

    def _change(self, act: ChangeJob) -> Job:
        image, old = self._find(act.job_id)
        change = act.decide(old)
        new = _changed(old, change, self._later_than(old))
        self._record(change.action, new, new.mtime, job_json.changed(new, change.action))
        replaced = old.definition if change.definition != old.definition else None
        self._remember(image, old.version, HistoryEntry(old.mtime, old.status, replaced))
        image.after = new
        return new

    def _delete(self, act: DeleteJob) -> None:
        image, old = self._find(act.job_id)
        self._record(Action.DELETE, old, self._later_than(old), job_json.deleted(old))
        image.after = None

    def _remember(self, image: PendingJob, version: int, former: HistoryEntry) -> None:
        self.last_entry += 1
        image.entries.append(HistoryRow(self.last_entry, image.newest_entry, version, former))
        image.newest_entry = self.last_entry
        image.history_bytes += size_of_entry(former)

    def _find(self, job_id: str) -> tuple[PendingJob, Job]:
        image = self._images.get(job_id)
        if image is None or image.after is None:
            raise JobNotFound
        return image, image.after

    def _later_than(self, job: Job) -> Timestamp:
        # A clock that stands still or goes back must not make a job's times do so.
        return Timestamp(max(self._clock(), job.mtime + 1))

    def _record(self, action: Action, job: Job, moment: Timestamp, payload: Json) -> None:
        self.head += 1
        self.events.append(Event(self.head, moment, action, job.id, job.client_id, job.workflow, payload))


def size_of_entry(former: HistoryEntry) -> int:
    """Return how many bytes the documents of a history entry have."""
    return len(former.status) + len(former.definition or b"")


def _changed(old: Job, change: Change, mtime: Timestamp) -> Job:
    return Job(
        id=old.id,
        client_id=old.client_id,
        workflow=old.workflow,
        state=change.state,
        status=change.status,
        definition_hash=change.definition_hash,
        definition=change.definition,
        tags=change.tags,
        stime=old.stime,
        mtime=mtime,
        version=old.version + 1,
    )
