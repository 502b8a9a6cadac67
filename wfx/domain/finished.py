"""Finished jobs: which they are, and what is told of one that is deleted (its *tombstone*)."""

from __future__ import annotations

from wfx.domain.job import Job, Status
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow

CLOSED, FAILED, OPEN = "CLOSED", "FAILED", "OPEN"
"""Groups by their names: of jobs that have succeeded, that have failed, and that are still to be worked on."""
MESSAGE = "the job was deleted"
"""The message in the status of a tombstone."""
MOST_TOMBSTONES = 100_000
"""Tombstones that a store keeps; beyond, the oldest go."""
_LONGEST_DEFINITION = 4096
"""Bytes up to which a definition stays with its tombstone."""


def is_finished(workflow: Workflow, state: str) -> bool:
    """Tell whether a job in this state is finished.

    It is in the groups CLOSED and FAILED, and where nothing leads on from a state, unless that is in the group OPEN.
    """
    group = workflow.group_of(state)
    return group in (CLOSED, FAILED) or (group != OPEN and _is_last(workflow, state))


def final_state(workflow: Workflow, state: str) -> str:
    """Return where a job that is deleted in this state ends, as devices are told.

    That is the state itself if the job is finished, else the first state in the group FAILED, else in CLOSED, else the
    first one that nothing leads on from.
    """
    if is_finished(workflow, state):
        return state
    for group in (FAILED, CLOSED):
        for name in workflow.positions:
            if workflow.group_of(name) == group:
                return name
    return next((name for name in workflow.positions if _is_last(workflow, name)), state)


def tombstone_after(job: Job, deleted: Timestamp) -> Job:
    """Return what is told of a job that was deleted at this moment: a job that has ended."""
    state = final_state(job.workflow, job.state)
    definition = job.definition
    if definition is not None and len(definition) > _LONGEST_DEFINITION:
        definition = None
    return tombstone(
        job_id=job.id, client_id=job.client_id, workflow=job.workflow, state=state, stime=job.stime, mtime=deleted,
        definition_hash=job.definition_hash, definition=definition,
    )  # fmt: skip


def tombstone(
    *,
    job_id: str,
    client_id: str,
    workflow: Workflow,
    state: str,
    stime: Timestamp,
    mtime: Timestamp,
    definition_hash: str,
    definition: Json | None,
) -> Job:
    """Make the job that a tombstone shows from what is stored of it.

    The hash of the definition stays: a device that sees another one would ask for the new definition.
    """
    status = Status(state, client_id=client_id, message=MESSAGE, definition_hash=definition_hash)
    return Job(
        id=job_id, client_id=client_id, workflow=workflow, state=state, status=status.encoded,
        definition_hash=definition_hash, definition=definition, tags=Json(b"[]"), stime=stime, mtime=mtime,
    )  # fmt: skip


def _is_last(workflow: Workflow, state: str) -> bool:
    return all(t.origin != state or t.target == state for t in workflow.transitions)
