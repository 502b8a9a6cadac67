"""Plan of a batch: applies job operations in memory, before any row is written.

Backend-neutral and free of I/O. Since every decision is taken here, an operation that is refused has touched no table,
and several changes of one job cost one row written: only its last state counts, while every history entry and every
event is kept. A plan knows no numbers of rows and events: a backend gives them when it stores what the plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from wfx.domain import job_json
from wfx.domain.cause import EncodedCause
from wfx.domain.errors import JobChanged, JobExists, JobNotFound, WorkflowNotFound
from wfx.domain.finished import tombstone_after
from wfx.domain.job import Action, Change, HistoryEntry, Job
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob, JobOperation, job_id

Clock = Callable[[], int]
"""Tells the time in microseconds since 1970 in UTC."""


class LoadedJob(Protocol):
    """A job as a backend has it, with whatever else the backend wants to know when it stores the job again."""

    @property
    def job(self) -> Job:
        """The job."""


class EventDraft(NamedTuple):
    """An event that has no sequence number yet; the other members are those of :class:`wfx.domain.job.Event`."""

    ctime: Timestamp
    action: Action
    job_id: str
    client_id: str
    workflow: Workflow
    payload: Json
    state_before: str | None
    cause: EncodedCause | None
    """None only for an event that comes from elsewhere; see :attr:`wfx.domain.job.Event.cause`."""


@dataclass(slots=True)
class PendingJob:
    """One job in the course of a plan."""

    loaded: Any
    """The :class:`LoadedJob` that the plan began with; None for a new job."""
    before: Job | None
    """The job as it is stored; None if it is not."""
    after: Job | None
    """The job as it is to be stored; None once it is deleted."""
    entries: list[HistoryEntry] = field(default_factory=list)
    """The history entries to add, oldest first.

    The first is of the version before the plan, or of version 1 of a new job, each other one higher.
    """
    tombstone: Job | None = None
    """What is told of it once it is deleted."""


class Plan:
    """Performs job operations in order; each sees what the ones before it did."""

    def __init__(self, jobs: Iterable[LoadedJob], workflows: Mapping[str, Workflow], clock: Clock) -> None:
        """Start from the stored jobs and the workflows, both as far as the operations name them."""
        self._jobs = {(job := loaded.job).id: PendingJob(loaded, job, job) for loaded in jobs}
        self._replaced: list[PendingJob] = []
        """Stored jobs that were deleted to make way for new ones with their ids."""
        self._workflows = workflows
        self._clock = clock
        self.events: list[EventDraft] = []
        """The events to add, in order."""

    @property
    def jobs(self) -> Collection[PendingJob]:
        """Every job that was there or came to be: replaced ones first, new ones in the order of their creation."""
        return [*self._replaced, *self._jobs.values()] if self._replaced else self._jobs.values()

    def perform(self, operation: JobOperation) -> Job | None:
        """Do one operation and return the job it leaves, if any. What raises has changed nothing."""
        match operation:
            case CreateJob():
                return self._create(operation)
            case ChangeJob():
                return self._change(operation)
            case DeleteJob():
                self._delete(operation)
        return None

    def _create(self, operation: CreateJob) -> Job:
        workflow = self._workflows.get(operation.workflow)
        if workflow is None:
            raise WorkflowNotFound(operation.workflow)
        if operation.id is not None and (present := self._jobs.get(str(operation.id))) and present.after:
            raise JobExists(str(operation.id))
        draft = operation.decide(workflow)
        now = Timestamp(self._clock())
        job = Job(
            id=job_id(now) if operation.id is None else str(operation.id),
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
        payload = job_json.created(job, draft.asked_tags)
        self._record(Action.CREATE, job, now, payload, None, operation.cause)
        self._add(job)
        return job

    def _add(self, job: Job) -> None:
        """Put a new job behind all others; there may be a deleted one with its id."""
        gone = self._jobs.pop(job.id, None)
        if gone is not None and gone.before is not None:
            self._replaced.append(gone)
        self._jobs[job.id] = PendingJob(None, None, job)

    def _change(self, operation: ChangeJob) -> Job:
        pending, old = self._find(operation.job_id)
        change = operation.decide(old)
        moment = self._later_than(old)
        new = _changed(old, change, moment)
        payload = job_json.changed(new, change.action)
        self._record(change.action, new, new.mtime, payload, old.state, operation.cause)
        replaced = old.definition if change.definition != old.definition else None
        pending.entries.append(HistoryEntry(old.mtime, old.status, replaced))
        if change.overtaken_status is not None:
            pending.entries.append(HistoryEntry(moment, change.overtaken_status, None))
        pending.after = new
        return new

    def _delete(self, operation: DeleteJob) -> None:
        pending, old = self._find(operation.job_id)
        if operation.version is not None and operation.version != old.version:
            raise JobChanged(old.id, (operation.version,), old.version)
        if operation.require is not None:
            operation.require(old)
        moment = self._later_than(old)
        self._record(Action.DELETE, old, moment, job_json.deleted(old), old.state, operation.cause)
        pending.after, pending.tombstone = None, tombstone_after(old, moment)

    def _find(self, job_id: str) -> tuple[PendingJob, Job]:
        pending = self._jobs.get(job_id)
        if pending is None or pending.after is None:
            raise JobNotFound
        return pending, pending.after

    def _later_than(self, job: Job) -> Timestamp:
        # A clock that stands still or goes back must not make a job's times do so.
        return Timestamp(max(self._clock(), job.mtime + 1))

    def _record(
        self, action: Action, job: Job, moment: Timestamp, payload: Json, state_before: str | None, cause: EncodedCause
    ) -> None:
        self.events.append(
            EventDraft(moment, action, job.id, job.client_id, job.workflow, payload, state_before, cause)
        )


def workflow_event(action: Action, workflow: Workflow, moment: int, cause: EncodedCause) -> EventDraft:
    """Make the event of a workflow's creation or deletion."""
    payload = encode({"name": workflow.name})
    return EventDraft(Timestamp(moment), action, "", "", workflow, payload, None, cause)


def _changed(old: Job, change: Change, moment: Timestamp) -> Job:
    """Make the job after a change; one that was overtaken is a version before it, at the moment before its time."""
    versions = 1 if change.overtaken_status is None else 2
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
        mtime=Timestamp(moment + versions - 1),
        version=old.version + versions,
        overtaken=change.overtaken,
    )
