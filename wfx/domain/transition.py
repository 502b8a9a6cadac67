"""Decision to change a job's status along its workflow."""

from __future__ import annotations

from wfx.domain.errors import TransitionRefused
from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.workflow import Actor, Workflow


def decide(job: Job, wanted: Status, actor: Actor) -> Change:
    """Give the job the wanted status, on behalf of the actor (rest-api section 9.2).

    Where immediate transitions lead on from the wanted state, the job ends up there and only the state remains of the
    status; what was reported goes into the history. Such a report may be repeated while nothing else has happened: its
    answer may have been lost. The definition's hash is the job's own, whatever the request says. Raises
    TransitionRefused.
    """
    workflow = job.workflow
    if wanted.state != job.state and not _repeats(job, wanted.state, actor):
        _require(workflow, job.state, wanted.state, actor)
    final = workflow.settle(wanted.state)
    reported = wanted._replace(definition_hash=job.definition_hash)
    if final == wanted.state:
        return Change(Action.UPDATE_STATUS, final, reported.encoded, job.definition_hash, job.definition, job.tags)
    status = Status(final, definition_hash=job.definition_hash)
    return Change(
        Action.UPDATE_STATUS, final, status.encoded, job.definition_hash, job.definition, job.tags,
        overtaken=wanted.state, overtaken_status=reported.encoded if _says_more(wanted) else None,
    )  # fmt: skip


def _repeats(job: Job, state: str, actor: Actor) -> bool:
    """Tell whether the report that has led to the present state may be this one."""
    return job.overtaken == state and any(
        target == state and actor in eligible for (_, target), eligible in job.workflow.eligible.items()
    )


def _says_more(status: Status) -> bool:
    return status.progress is not None or bool(status.message) or status.context is not None


def _require(workflow: Workflow, origin: str, target: str, actor: Actor) -> None:
    eligible = workflow.eligible.get((origin, target))
    if eligible is None:
        raise TransitionRefused(f"transition from '{origin}' to '{target}' does not exist")
    if actor not in eligible:
        raise TransitionRefused(f"transition from '{origin}' to '{target}' is not allowed for actor '{actor}'")
