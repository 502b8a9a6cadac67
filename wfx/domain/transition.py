"""Decision to change a job's status along its workflow."""

from __future__ import annotations

from wfx.domain.errors import TransitionRefused
from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.workflow import Actor, Workflow


def decide(job: Job, wanted: Status, actor: Actor) -> Change:
    """Give the job the wanted status, on behalf of the actor (rest-api section 9.2).

    Where immediate transitions lead on from the wanted state, the job ends up there and only the state remains of the
    status. The definition's hash is the job's own, whatever the request says. Raises TransitionRefused.
    """
    workflow = job.workflow
    if wanted.state != job.state:
        _require(workflow, job.state, wanted.state, actor)
    final = workflow.settle(wanted.state)
    if final == wanted.state:
        status = wanted._replace(definition_hash=job.definition_hash)
    else:
        status = Status(final, definition_hash=job.definition_hash)
    return Change(Action.UPDATE_STATUS, final, status.encoded, job.definition_hash, job.definition, job.tags)


def _require(workflow: Workflow, origin: str, target: str, actor: Actor) -> None:
    eligible = workflow.eligible.get((origin, target))
    if eligible is None:
        raise TransitionRefused(f"transition from '{origin}' to '{target}' does not exist")
    if actor not in eligible:
        raise TransitionRefused(f"transition from '{origin}' to '{target}' is not allowed for actor '{actor}'")
