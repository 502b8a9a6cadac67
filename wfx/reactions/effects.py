"""Effects of an evaluation: what is to be done in the store, all in one transaction, and what is told of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from wfx.domain.cause import RULE, Cause, EncodedCause
from wfx.domain.errors import NotFound, WfxError
from wfx.domain.job import Event as LogEvent
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.expressions.scope import Facts
from wfx.expressions.values import size_of
from wfx.reactions.job_operations import operation_of
from wfx.rules.action_types import effect_of
from wfx.rules.evaluation import Evaluation, PlannedAction
from wfx.rules.own_actions import MAIL, RUN_SCRIPT, RUN_STEP, SET_OUTPUT, WEBHOOK_NOTIFY
from wfx.store.operations import JobOperation
from wfx.store.rule_records import NOTHING, NewTask, RuleRecords, ScoreEntry, is_name

DEEPEST = 16
"""Events in a row that actions bring about; what would come behind is refused, whatever else the limits are."""
MOST_IN_CHAIN = 1000
"""Actions that are taken for all events of a chain but the first one, which has as many as an event may have."""
ALL = "(all)"
"""Stands for all actions where those of a chain are counted; no id has parentheses."""
MOST_SIZE = 4_194_304
"""Characters and values of the parameters of all actions for an event."""
MOST = 128
"""Actions that are taken for an event."""
TASKS = (WEBHOOK_NOTIFY, MAIL, RUN_SCRIPT, RUN_STEP)
"""Types of actions that become tasks, which are worked on later."""


class Outcome(StrEnum):
    """What became of an action."""

    DONE = "done"
    QUEUED = "queued"
    """It has become a task."""
    INVALID = "invalid"
    """Its parameters have no value for the event, or not one that can be used."""
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    """The job, or its workflow, is not as it would have to be."""
    LIMITED = "limited"
    """It was taken too often in one chain of events."""
    FAILED = "failed"
    """For a reason that nobody has foreseen."""


class ActionResult(NamedTuple):
    """What is told of an action."""

    scenario_id: str
    action_id: str
    type: str
    success: bool
    message: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Lineage:
    """The chain of events that the effects become a part of, as far as it is counted."""

    root: str = ""
    """Names the event that began it; empty if that is not known yet."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How often each action was taken in it, by its id, if there is a limit; and all of them."""
    limit: int = 0
    """How often one may be; 0 is no limit."""


UNCOUNTED = Lineage()
"""Of events that begin a chain, where there is no limit for each action."""


class NewJob(NamedTuple):
    """A job to be created."""

    client_id: str
    workflow: str


class Effects(NamedTuple):
    """What is to be done in one transaction, and what is told once it is done."""

    operations: Sequence[JobOperation]
    records: RuleRecords
    answers: Callable[[Sequence[Any]], Sequence[ActionResult]]
    """Tells what became of each action, of what the store returned for each operation."""
    starts: Sequence[NewJob] = ()
    """The jobs that are to be created."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do in the store."""
        return not self.operations and self.records == NOTHING


def caused_by(event: LogEvent) -> Cause:
    """Return the cause of what an event of the log brings about; the actor is the rule's, see :func:`effects_of`."""
    cause = event.cause or Cause()
    return Cause(cause.request_id, cause.side, "", event.seq if cause.root is None else cause.root, cause.depth + 1)


def actor_of(scenario_id: str) -> str:
    """Return the actor of what a rule brings about."""
    return RULE + scenario_id


def effects_of(
    evaluation: Evaluation, *, key: str, cause: Cause, now: Timestamp, facts: Facts, lineage: Lineage = UNCOUNTED
) -> Effects:
    """Return what carries out an evaluation, which was made with these facts.

    ``key`` names the event, for ever: tasks and points have keys that begin with it. ``cause`` is that of the effects
    but for the actor. An action that cannot be taken has a result that says so, and stops no other.
    """
    effects = _Effects(key, cause, now, lineage)
    planned = ((result.scenario.id, action) for result in evaluation.results for action in result.actions)
    wrong = next((name for name in evaluation.sequences if not is_name(name)), None)
    if wrong is not None:
        for scenario_id, action in planned:
            effects.refuse(scenario_id, action, Outcome.INVALID, f"{wrong[:100]!a} cannot be the name of a sequence")
        return effects.made({})
    for scenario_id, action in islice(planned, MOST):
        effects.take(scenario_id, action)
    for scenario_id, action in planned:
        effects.refuse(scenario_id, action, Outcome.LIMITED, f"an event has at most {MOST} actions")
    drawn = {name: (facts.sequence(name), last) for name, last in evaluation.sequences.items()}
    return effects.made(drawn)


def effects_of_actions(
    scenario_id: str, planned: Sequence[PlannedAction], *, key: str, cause: Cause, now: Timestamp, lineage: Lineage
) -> Effects:
    """Return what carries out actions that something else than an evaluation has planned."""
    effects = _Effects(key, cause, now, lineage)
    for action in planned[:MOST]:
        effects.take(scenario_id, action)
    for action in planned[MOST:]:
        effects.refuse(scenario_id, action, Outcome.LIMITED, f"a script has at most {MOST} actions")
    return effects.made({})


class _Effects:
    """Effects that are being put together."""

    def __init__(self, key: str, cause: Cause, now: Timestamp, lineage: Lineage) -> None:
        self._key = key
        self._cause = cause
        self._now = now
        self._lineage = lineage
        self._operations: list[JobOperation] = []
        self._tasks: list[NewTask] = []
        self._scores: list[ScoreEntry] = []
        self._starts: list[NewJob] = []
        self._counts: dict[str, int] = {}
        self._room = MOST_SIZE
        self._results: list[tuple[ActionResult, int | None]] = []
        """With the place of the operation that says how it went."""

    def take(self, scenario_id: str, planned: PlannedAction) -> None:
        """Add what an action does."""
        action_id, operation = planned.action.id, None
        if planned.error:
            return self.refuse(scenario_id, planned, Outcome.INVALID, planned.error)
        if limit := self._limit(action_id):
            return self.refuse(scenario_id, planned, Outcome.LIMITED, limit)
        self._room -= (size := size_of(planned.parameters, self._room))
        if self._room < 0:
            self._room += size
            reason = f"the parameters of the actions for an event have at most {MOST_SIZE:,} characters and values"
            return self.refuse(scenario_id, planned, Outcome.LIMITED, reason)
        outcome, message = Outcome.DONE, planned.message
        try:
            if self._add(scenario_id, planned):
                operation = len(self._operations) - 1
            elif effect_of(planned.action.type) in TASKS:
                outcome, message = Outcome.QUEUED, f"queued as task {self._key}/{action_id}"
        except (ValueError, TypeError, OverflowError, RecursionError, WfxError) as exc:
            return self.refuse(scenario_id, planned, Outcome.INVALID, str(exc) or type(exc).__name__)
        if self._lineage.root and self._cause.depth > 1:
            self._count(ALL)
        if self._lineage.limit:
            self._count(action_id)
        result = ActionResult(scenario_id, action_id, planned.action.type.type, True, message, outcome)
        self._results.append((result, operation))
        return None

    def refuse(self, scenario_id: str, planned: PlannedAction, outcome: Outcome, message: str) -> None:
        """Add the result of an action that is not taken."""
        result = ActionResult(scenario_id, planned.action.id, planned.action.type.type, False, message, outcome)
        self._results.append((result, None))

    def made(self, drawn: Mapping[str, tuple[int, int]]) -> Effects:
        """Return them."""
        root, results = self._lineage.root, tuple(self._results)
        repetitions = {(root, element): count for element, count in self._counts.items()}
        records = RuleRecords(tuple(self._tasks), tuple(self._scores), drawn, repetitions)
        return Effects(
            tuple(self._operations),
            records,
            lambda told: [_told(result, None if place is None else told[place]) for result, place in results],
            tuple(self._starts),
        )

    def _limit(self, action_id: str) -> str:
        """Return why an action may not be taken once more, or nothing."""
        if self._cause.depth > DEEPEST:
            return f"a chain of events that rules bring about ends after {DEEPEST} in a row"
        if self._taken(ALL) >= MOST_IN_CHAIN:
            return f"{MOST_IN_CHAIN} actions were taken in one chain of events, which is the limit"
        limit = self._lineage.limit
        if limit and self._taken(action_id) >= limit:
            return f"it was taken {limit} times in one chain of events, which is the limit"
        return ""

    def _taken(self, element: str) -> int:
        return self._counts.get(element) or self._lineage.counts.get(element, 0)

    def _count(self, element: str) -> None:
        self._counts[element] = self._taken(element) + 1

    def _add(self, scenario_id: str, planned: PlannedAction) -> bool:
        """Add what an action does; tell whether that is an operation on a job. Raises what it cannot be made of."""
        kind, parameters = effect_of(planned.action.type), planned.parameters
        key, cause = f"{self._key}/{planned.action.id}", self._cause_of(scenario_id)
        if kind in TASKS:
            about = {"rule": scenario_id, "action": planned.action.id}
            task_input = encode({**parameters, **about})
            task = NewTask(key, kind, task_input, self._now, cause)
            _require_storable(RuleRecords(tasks=(task,)))
            self._tasks.append(task)
        elif kind == "reward_points":
            points = float(parameters["points"]) * (1 if parameters["operation"] == "award" else -1)
            actor_id, reason = parameters["actor_id"], parameters.get("reason", "")
            entry = ScoreEntry(key, actor_id, points, reason)
            _require_storable(RuleRecords(scores=(entry,)))
            self._scores.append(entry)
        elif kind != SET_OUTPUT:
            self._operations.append(operation_of(kind, parameters, cause))
            if kind == "create_job":
                self._starts.append(NewJob(parameters["client_id"], parameters["workflow"]))
            return True
        return False

    def _cause_of(self, scenario_id: str) -> EncodedCause:
        return self._cause._replace(actor=actor_of(scenario_id)).encoded


def _require_storable(records: RuleRecords) -> None:
    """Raise ValueError for what no store can write."""
    if fault := records.fault:
        raise ValueError(fault)


def _told(result: ActionResult, answer: Any) -> ActionResult:
    """Return the result of an action, of what the store returned for its operation, if it has one."""
    if not isinstance(answer, BaseException):
        return result
    match answer:
        case NotFound():
            outcome = Outcome.NOT_FOUND
        case WfxError():
            outcome = Outcome.REFUSED
        case _:
            outcome = Outcome.FAILED
    return result._replace(success=False, message=str(answer) or type(answer).__name__, outcome=outcome)
