"""What a store does, said as simply as possible: lists and dictionaries, one act after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from wfx.domain import job_json
from wfx.domain.cause import UNKNOWN
from wfx.domain.errors import (
    BehindHorizon,
    JobNotFound,
    NotOnThisLog,
    WorkflowInUse,
    WorkflowNotFound,
    WorkflowNotUnique,
)
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.protocol import DecideChange, DecideCreation


@dataclass
class Model:
    """A store without concurrency, durability or speed."""

    workflows: dict[str, Workflow] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    history: dict[str, list[HistoryEntry]] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    horizon: int = 0

    def create_workflow(self, workflow: Workflow, now: int) -> Workflow:
        """Remember the workflow."""
        if workflow.name in self.workflows:
            raise WorkflowNotUnique(workflow.name)
        self.workflows[workflow.name] = workflow
        self._record_workflow(Action.CREATE, workflow, now)
        return workflow

    def get_workflow(self, name: str) -> Workflow:
        """Look the workflow up."""
        if name not in self.workflows:
            raise WorkflowNotFound(name)
        return self.workflows[name]

    def delete_workflow(self, name: str, now: int) -> None:
        """Forget the workflow unless it is used."""
        workflow = self.get_workflow(name)
        if any(job.workflow is workflow for job in self.jobs.values()):
            raise WorkflowInUse(name)
        del self.workflows[name]
        self._record_workflow(Action.DELETE, workflow, now)

    def create_job(self, name: str, decide: DecideCreation, job_id: str, now: int) -> Job:
        """Add a job under an id that somebody else chose."""
        draft = decide(self.get_workflow(name))
        moment = Timestamp(now)
        job = Job(
            job_id,
            draft.client_id,
            draft.workflow,
            draft.state,
            draft.status,
            draft.definition_hash,
            draft.definition,
            draft.tags,
            moment,
            moment,
        )
        self.jobs[job_id], self.history[job_id] = job, []
        self._record(Action.CREATE, job, moment, job_json.created(job, draft.asked_tags), None)
        return job

    def get_job(self, job_id: str) -> Job:
        """Look the job up."""
        if job_id not in self.jobs:
            raise JobNotFound
        return self.jobs[job_id]

    def get_history(self, job_id: str) -> list[HistoryEntry]:
        """Return what the job was, newest first."""
        self.get_job(job_id)
        return self.history[job_id]

    def change_job(self, job_id: str, decide: DecideChange, now: int) -> Job:
        """Replace the job and note what it was."""
        old = self.get_job(job_id)
        change = decide(old)
        new = old._replace(
            state=change.state,
            status=change.status,
            definition_hash=change.definition_hash,
            definition=change.definition,
            tags=change.tags,
            version=old.version + 1,
            mtime=Timestamp(max(now, old.mtime + 1)),
        )
        replaced = None if change.definition == old.definition else old.definition
        self.jobs[job_id] = new
        self.history[job_id].insert(0, HistoryEntry(old.mtime, old.status, replaced))
        self._record(change.action, new, new.mtime, job_json.changed(new, change.action), old.state)
        return new

    def delete_job(self, job_id: str, now: int) -> None:
        """Forget the job."""
        job = self.get_job(job_id)
        del self.jobs[job_id], self.history[job_id]
        self._record(Action.DELETE, job, Timestamp(max(now, job.mtime + 1)), job_json.deleted(job), job.state)

    def read_log(self, after: int) -> list[Event]:
        """Return what follows the position."""
        if not 0 <= after <= len(self.log):
            raise NotOnThisLog(len(self.log), "")
        if after < self.horizon:
            raise BehindHorizon(self.horizon + 1)
        return self.log[after:]

    def prune_log(self, keep_newest: int, older_than: int, at_most: int) -> int:
        """Move the horizon on, event by event."""
        before = self.horizon
        while self.horizon < min(before + at_most, len(self.log)) and (
            self.horizon < len(self.log) - keep_newest or self.log[self.horizon].ctime < older_than
        ):
            self.horizon += 1
        return self.horizon - before

    def _record(self, action: Action, job: Job, moment: Timestamp, payload: Json, before: str | None) -> None:
        about = (job.id, job.client_id, job.workflow, payload)
        self.log.append(Event(len(self.log) + 1, moment, action, *about, before, UNKNOWN))

    def _record_workflow(self, action: Action, workflow: Workflow, now: int) -> None:
        about = ("", "", workflow, encode({"name": workflow.name}), None, UNKNOWN)
        self.log.append(Event(len(self.log) + 1, Timestamp(now), action, *about))
