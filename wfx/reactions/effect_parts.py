"""What an action does in the store: an operation on a job, a task, points, or nothing. Pure."""

from __future__ import annotations

from typing import NamedTuple

from wfx.domain.cause import EncodedCause
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.reactions.job_operations import operation_of
from wfx.reactions.tokens import NOBODY, OWNER, Owner
from wfx.rules.action_types import Parameters
from wfx.rules.own_actions import SET_OUTPUT, TASKS
from wfx.store.operations import JobOperation
from wfx.store.rule_records import NewTask, RuleRecords, ScoreEntry


class EffectPart(NamedTuple):
    """At most one of these."""

    operation: JobOperation | None = None
    task: NewTask | None = None
    score: ScoreEntry | None = None


class ActionOrigin(NamedTuple):
    """Which action it is, of which rule, and for which event."""

    key: str
    """Names the action for this event, for ever."""
    rule: str
    action: str
    cause: EncodedCause
    """The cause of what it brings about."""
    owner: Owner = NOBODY


def part_of(effect: str, parameters: Parameters, origin: ActionOrigin, now: Timestamp) -> EffectPart:
    """Return what an action with this effect does. Raises ValueError, WfxError and others."""
    if effect in TASKS:
        task_input = encode({**parameters, "rule": origin.rule, "action": origin.action, OWNER: list(origin.owner)})
        task = NewTask(origin.key, effect, task_input, now, origin.cause)
        require_storable(RuleRecords(tasks=(task,)))
        return EffectPart(task=task)
    if effect == "reward_points":
        points = float(parameters["points"]) * (1 if parameters["operation"] == "award" else -1)
        entry = ScoreEntry(origin.key, parameters["actor_id"], points, parameters.get("reason", ""))
        require_storable(RuleRecords(scores=(entry,)))
        return EffectPart(score=entry)
    return EffectPart() if effect == SET_OUTPUT else EffectPart(operation_of(effect, parameters, origin.cause))


def require_storable(records: RuleRecords) -> None:
    """Raise ValueError for what no store can write."""
    if fault := records.fault:
        raise ValueError(fault)
