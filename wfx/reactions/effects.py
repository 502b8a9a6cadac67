"""Effects of an evaluation: what is to be done in the store, all in one transaction, and what is told of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from wfx.domain.cause import RULE, Cause
from wfx.domain.errors import NotFound, WfxError
from wfx.domain.job import Event as LogEvent
from wfx.domain.timestamp import Timestamp
from wfx.expressions.scope import Facts
from wfx.expressions.values import size_of
from wfx.reactions.effect_parts import ActionOrigin, EffectPart, part_of
from wfx.reactions.tokens import NOBODY, Owner, Token, token_of
from wfx.rules.action_types import effect_of
from wfx.rules.evaluation import Evaluation, PlannedAction
from wfx.store.operations import JobOperation
from wfx.store.rule_records import NOTHING, NewTask, RuleRecords, is_name

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
    """A bound is reached: of actions for an event or in a chain, of their parameters, or of actions that wait."""
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
    """How often each action was taken in it, if there is a limit; and all of them."""
    limit: int = 0
    """How often one may be; 0 is no limit."""


UNCOUNTED = Lineage()
"""Of events that begin a chain, where there is no limit for each action."""


class Promise(NamedTuple):
    """An action that needs a token, and what it takes to do it later."""

    token: Token
    origin: ActionOrigin
    planned: PlannedAction


class TakenAction(NamedTuple):
    """An action with its result, which holds unless its operation fails."""

    result: ActionResult
    part: EffectPart = EffectPart()
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """What is to be done in one transaction, and what is told once it is done."""

    actions: Sequence[TakenAction]
    """All of the event, those that are refused among them."""
    sequences: Mapping[str, tuple[int, int]]
    """As in records of rules."""
    repetitions: Mapping[tuple[str, str], int]
    """As in records of rules."""

    @property
    def operations(self) -> Sequence[JobOperation]:
        """What is to be done to jobs."""
        return [each.part.operation for each in self.actions if each.part.operation is not None]

    @property
    def records(self) -> RuleRecords:
        """What is to be written beside that."""
        tasks = tuple(each.part.task for each in self.actions if each.part.task is not None)
        scores = tuple(each.part.score for each in self.actions if each.part.score is not None)
        return RuleRecords(tasks, scores, self.sequences, self.repetitions)

    @property
    def promises(self) -> Sequence[tuple[int, Promise]]:
        """The actions that need tokens, by their places."""
        return [(place, each.promise) for place, each in enumerate(self.actions) if each.promise is not None]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do in the store."""
        return not self.operations and self.records == NOTHING

    def answers(self, told: Sequence[Any]) -> Sequence[ActionResult]:
        """Tell what became of each action, of what the store returned for each operation."""
        answers = iter(told)
        return [
            each.result if each.part.operation is None else _told(each.result, next(answers)) for each in self.actions
        ]

    def waiting(self, place: int, task: NewTask, message: str) -> Effects:
        """Return them with a task in the place of an action, which is done later."""
        result = self.actions[place].result._replace(outcome=Outcome.QUEUED, message=message)
        return self._with(place, TakenAction(result, EffectPart(task=task)))

    def refused(self, place: int, outcome: Outcome, message: str) -> Effects:
        """Return them without an action."""
        result = self.actions[place].result._replace(success=False, outcome=outcome, message=message)
        return self._with(place, TakenAction(result))

    def _with(self, place: int, action: TakenAction) -> Effects:
        return replace(self, actions=(*self.actions[:place], action, *self.actions[place + 1 :]))


def caused_by(event: LogEvent) -> Cause:
    """Return the cause of what an event of the log brings about; the actor is the rule's, see :func:`effects_of`."""
    cause = event.cause or Cause()
    return Cause(cause.request_id, cause.side, "", event.seq if cause.root is None else cause.root, cause.depth + 1)


def actor_of(scenario_id: str) -> str:
    """Return the actor of what a rule brings about."""
    return RULE + scenario_id


def effects_of(
    evaluation: Evaluation,
    *,
    key: str,
    cause: Cause,
    now: Timestamp,
    facts: Facts,
    lineage: Lineage = UNCOUNTED,
    owner: Owner = NOBODY,
) -> Effects:
    """Return what carries out an evaluation, which was made with these facts, of an event of this owner.

    ``key`` names the event, for ever: tasks and points have keys that begin with it. ``cause`` is that of the effects
    but for the actor. An action that cannot be taken has a result that says so, and stops no other.
    """
    effects = _Effects(key, cause, now, lineage, owner)
    planned = ((result.scenario.id, action) for result in evaluation.results for action in result.actions)
    wrong = next((name for name in evaluation.sequences if not is_name(name)), None)
    if wrong is not None:
        for scenario_id, action in planned:
            effects.refuse(scenario_id, action, Outcome.INVALID, f"{wrong[:100]!a} cannot be the name of a sequence")
        return effects.made({})
    for scenario_id, action in islice(planned, MOST):
        effects.take(scenario_id, action, action.action.id)
    for scenario_id, action in planned:
        effects.refuse(scenario_id, action, Outcome.LIMITED, f"an event has at most {MOST} actions")
    drawn = {name: (facts.sequence(name), last) for name, last in evaluation.sequences.items()}
    return effects.made(drawn)


def effects_of_actions(
    scenario_id: str,
    planned: Sequence[PlannedAction],
    *,
    key: str,
    cause: Cause,
    now: Timestamp,
    lineage: Lineage,
    owner: Owner = NOBODY,
    counted_as: str = "(action)",
) -> Effects:
    """Return what carries out actions that something else than an evaluation has planned.

    They are counted by their places, and not by their ids, which are others in each event of a chain.
    """
    effects = _Effects(key, cause, now, lineage, owner)
    for number, action in enumerate(planned, 1):
        effects.take(scenario_id, action, f"{counted_as} {number}")
    return effects.made({})


class _Effects:
    """Effects that are being put together."""

    def __init__(self, key: str, cause: Cause, now: Timestamp, lineage: Lineage, owner: Owner) -> None:
        self._key = key
        self._cause = cause
        self._now = now
        self._lineage = lineage
        self._owner = owner
        self._counts = Counter[str]()
        """How often what is counted is taken here."""
        self._room = MOST_SIZE
        self._actions: list[TakenAction] = []

    def take(self, scenario_id: str, planned: PlannedAction, element: str) -> None:
        """Add what an action does, which is counted as this element of its chain."""
        action_id = planned.action.id
        if planned.error:
            return self.refuse(scenario_id, planned, Outcome.INVALID, planned.error)
        if limit := self._limit(element):
            return self.refuse(scenario_id, planned, Outcome.LIMITED, limit)
        self._room -= (size := size_of(planned.parameters, self._room))
        if self._room < 0:
            self._room += size
            reason = f"the parameters of the actions for an event have at most {MOST_SIZE:,} characters and values"
            return self.refuse(scenario_id, planned, Outcome.LIMITED, reason)
        effect = effect_of(planned.action.type)
        try:
            origin = self._origin(scenario_id, action_id)
            part = part_of(effect, planned.parameters, origin, self._now)
        except (ValueError, TypeError, OverflowError, RecursionError, WfxError) as exc:
            return self.refuse(scenario_id, planned, Outcome.INVALID, str(exc) or type(exc).__name__)
        if self._lineage.root and self._cause.depth > 1:
            self._counts[ALL] += 1
        if self._lineage.limit:
            self._counts[element] += 1
        outcome, message = Outcome.DONE, planned.message
        if part.task is not None:
            outcome, message = Outcome.QUEUED, f"queued as task {origin.key}"
        result = ActionResult(scenario_id, action_id, planned.action.type.type, True, message, outcome)
        token = token_of(effect, planned.parameters, self._owner)
        self._actions.append(TakenAction(result, part, None if token is None else Promise(token, origin, planned)))
        return None

    def refuse(self, scenario_id: str, planned: PlannedAction, outcome: Outcome, message: str) -> None:
        """Add the result of an action that is not taken."""
        result = ActionResult(scenario_id, planned.action.id, planned.action.type.type, False, message, outcome)
        self._actions.append(TakenAction(result))

    def made(self, drawn: Mapping[str, tuple[int, int]]) -> Effects:
        """Return them."""
        root = self._lineage.root
        return Effects(self._actions, drawn, {(root, element): times for element, times in self._counts.items()})

    def _limit(self, element: str) -> str:
        """Return why an action may not be taken once more, or nothing."""
        if self._cause.depth > DEEPEST:
            return f"a chain of events that rules bring about ends after {DEEPEST} in a row"
        if self._taken(ALL) >= MOST_IN_CHAIN:
            return f"{MOST_IN_CHAIN} actions were taken in one chain of events, which is the limit"
        limit = self._lineage.limit
        if limit and self._taken(element) >= limit:
            return f"it was taken {limit} times in one chain of events, which is the limit"
        return ""

    def _taken(self, element: str) -> int:
        return self._lineage.counts.get(element, 0) + self._counts[element]

    def _origin(self, scenario_id: str, action_id: str) -> ActionOrigin:
        cause = self._cause._replace(actor=actor_of(scenario_id)).encoded
        return ActionOrigin(f"{self._key}/{action_id}", scenario_id, action_id, cause, self._owner)


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
