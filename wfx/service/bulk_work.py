"""Operations of bulk requests: what is to be done to each job, by the decisions that single requests make.

Also what is told of each job, after the request or in a dry run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from wfx.domain import creation, tags, transition
from wfx.domain.cause import EncodedCause
from wfx.domain.creation import NewJob
from wfx.domain.job import Change, Job, Status
from wfx.domain.workflow import Actor
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob, JobOperation

ItemOperations = Sequence[JobOperation]
"""What is done to one job, in order."""


class JobResult(NamedTuple):
    """What is told of one job."""

    id: str
    """Empty for a job that was not created."""
    client_id: str
    """Empty where no job has the id."""
    state: str
    """The present one, or that of the job when it was deleted; empty where there is no job."""
    outcome: str
    """Empty if there is an error."""
    error: Exception | None


class BulkWork(Protocol):
    """What a bulk request does."""

    @property
    def outcome(self) -> str:
        """What has become of a job with which it was done."""

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:
        """Return what is done to one job: the one at this place of the request, or with this id."""

    def client_id(self, place: int) -> str:  # noqa: ARG002 - jobs that are there have one
        """Return the client of a job that is to be created; empty for jobs that are there."""
        return ""


class JobWork(BulkWork, Protocol):
    """What a bulk request does with jobs that are there."""

    @property
    def may_be_refused(self) -> bool:
        """Whether there may be jobs that are there with which it cannot be done."""
        return True

    def check(self, job: Job) -> None:
        """Raise what is in the way of doing it with a job; one of a list lacks definition and overtaken report."""

    def depends_on_whole(self, job: Job) -> bool:  # noqa: ARG002 - mostly a row says enough
        """Tell whether something may be in the way of a job of a list and not of the job as it is."""
        return False


@dataclass(frozen=True, slots=True)
class Creation:
    """Creates jobs."""

    job_at: Callable[[int], NewJob]
    client_at: Callable[[int], str]
    outcome: str = "created"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - it has no id yet
        """Create the job at this place."""
        wanted = self.job_at(place)
        decide = partial(creation.decide, client_id=wanted.client_id, definition=wanted.definition, tags=wanted.tags)
        size = 0 if wanted.definition is None else len(wanted.definition.encoded)
        return (CreateJob(wanted.workflow, decide, size, cause),)

    def client_id(self, place: int) -> str:
        """Return the client of the job at this place."""
        return self.client_at(place)


@dataclass(frozen=True, slots=True)
class StatusUpdate(JobWork):
    """Gives jobs a status, as the operator."""

    status: Status
    outcome: str = "updated"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Move the job along its workflow."""
        return (ChangeJob(target, self._decide, len(self.status.context or b""), cause),)

    def check(self, job: Job) -> None:
        """Look whether the workflow allows it."""
        self._decide(job)

    def depends_on_whole(self, job: Job) -> bool:
        """Tell whether it may repeat the report that has led to the present state, which is allowed."""
        return job.workflow.settle(self.status.state) == job.state != self.status.state

    def _decide(self, job: Job) -> Change:
        return transition.decide(job, self.status, Actor.WFX)


@dataclass(frozen=True, slots=True)
class Deletion(JobWork):
    """Deletes jobs with their histories."""

    outcome: str = "deleted"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Delete the job."""
        return (DeleteJob(target, cause),)

    @property
    def may_be_refused(self) -> bool:
        """Say that each job can be deleted."""
        return False

    def check(self, job: Job) -> None:
        """Find nothing in the way."""


@dataclass(frozen=True, slots=True)
class Tagging(JobWork):
    """Removes and adds tags."""

    added: Sequence[str]
    removed: Sequence[str]
    outcome: str = "tagged"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Remove tags of the job, then add others; both or neither."""
        removal = ChangeJob(target, self._remove, 0, cause)
        addition = ChangeJob(target, partial(tags.add, tags=self.added), 0, cause)
        return (*([removal] if self.removed else ()), *([addition] if self.added else ()))

    def check(self, job: Job) -> None:
        """Look whether the job may have so many tags."""
        if self.removed:
            self._remove(job)
        elif self.added:
            tags.add(job, self.added)

    def _remove(self, job: Job) -> Change:
        """Remove tags if what is to be added afterwards can be."""
        change = tags.remove(job, self.removed)
        tags.add(job._replace(tags=change.tags), self.added)
        return change
