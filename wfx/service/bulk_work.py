"""Operations of bulk requests: what is to be done to each job, by the decisions that single requests make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from wfx.domain import creation, tags, transition
from wfx.domain.cause import EncodedCause
from wfx.domain.creation import NewJob
from wfx.domain.job import Change, Job, Status
from wfx.domain.workflow import Actor
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob, JobOperation

ItemOperations = Sequence[JobOperation]
"""What is done to one job, in order."""


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
class StatusUpdate(BulkWork):
    """Gives jobs a status, as the operator."""

    status: Status
    outcome: str = "updated"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Move the job along its workflow."""
        decide = partial(transition.decide, wanted=self.status, actor=Actor.WFX)
        return (ChangeJob(target, decide, len(self.status.context or b""), cause),)


@dataclass(frozen=True, slots=True)
class Deletion(BulkWork):
    """Deletes jobs with their histories."""

    outcome: str = "deleted"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Delete the job."""
        return (DeleteJob(target, cause),)


@dataclass(frozen=True, slots=True)
class Tagging(BulkWork):
    """Removes and adds tags."""

    added: Sequence[str]
    removed: Sequence[str]
    outcome: str = "tagged"

    def item(self, place: int, target: str, cause: EncodedCause) -> ItemOperations:  # noqa: ARG002 - the same for all
        """Remove tags of the job, then add others; both or neither."""
        removal = ChangeJob(target, self._remove, 0, cause)
        addition = ChangeJob(target, partial(tags.add, tags=self.added), 0, cause)
        return (*([removal] if self.removed else ()), *([addition] if self.added else ()))

    def _remove(self, job: Job) -> Change:
        """Remove tags if what is to be added afterwards can be."""
        change = tags.remove(job, self.removed)
        tags.add(job._replace(tags=change.tags), self.added)
        return change
