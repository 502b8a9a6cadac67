"""Evaluates an event: which conditions hold, and which actions would be taken. Nothing has an effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from wfx.expressions.errors import EvaluationError
from wfx.expressions.scope import Facts, Scope
from wfx.rules.action_types import Parameters, effect_of
from wfx.rules.event import Event
from wfx.rules.graph import Action, Condition, Graph, Node, Scenario
from wfx.rules.own_actions import own_actions


class ConditionResult(NamedTuple):
    """What became of a condition."""

    condition: Condition
    holds: bool
    error: str = ""
    """Why it has no value; it does not hold then."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action that would be taken, unless it has an error."""

    action: Action
    parameters: Parameters
    message: str
    """What its result will say if it succeeds."""
    error: str = ""
    """Why it cannot be taken."""


@dataclass(slots=True)
class ScenarioResult:
    """What became of a scenario that is for the event's type and source."""

    scenario: Scenario
    conditions: list[ConditionResult] = field(default_factory=list)
    """In the order of the file; those behind a condition that does not hold are missing."""
    actions: list[PlannedAction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an event brings about."""

    results: tuple[ScenarioResult, ...]
    outputs: Mapping[str, Any]
    """Variables that ``flw.setOutput`` has set."""
    sequences: Mapping[str, int]
    """The last number that was drawn from each sequence."""
    error: str = ""
    """Why the event does nothing, if a condition failed and the rules say so."""

    @property
    def matched(self) -> tuple[str, ...]:
        """The ids of the scenarios that have actions for the event."""
        return tuple(result.scenario.id for result in self.results if result.actions)

    @property
    def actions(self) -> tuple[PlannedAction, ...]:
        """All actions, in the order in which they would be taken."""
        return tuple(action for result in self.results for action in result.actions)


_OWN = own_actions()


class _Stopped(Exception):
    """A condition failed, and the event is to do nothing."""


def evaluate(graph: Graph, event: Event, facts: Facts, now: datetime) -> Evaluation:
    """Return what an event brings about."""
    scenarios = graph.by_type.get(event.type)
    if not scenarios:
        return Evaluation((), {}, {})
    scope = Scope(event.payload, event.meta, dict(event.members), now, facts)
    results: list[ScenarioResult] = []
    walk = _Walk(scope, event, graph.engine.fail_open)
    try:
        for scenario in scenarios:
            if scenario.sources is None or event.source in scenario.sources:
                scope.local.clear()
                results.append(ScenarioResult(scenario))
                walk.children(scenario.children, results[-1])
    except _Stopped as exc:
        for result in results:
            result.actions.clear()
        return Evaluation(tuple(results), {}, {}, str(exc))
    return Evaluation(tuple(results), scope.outputs, scope.drawn)


class _Walk:
    """Goes through the nodes of scenarios, depth first."""

    def __init__(self, scope: Scope, event: Event, fail_open: bool) -> None:
        self._scope = scope
        self._event = event
        self._fail_open = fail_open

    def children(self, nodes: tuple[Node, ...], result: ScenarioResult) -> None:
        """Look at nodes, and below those that hold."""
        for node in nodes:
            if isinstance(node, Action):
                result.actions.append(planned(node, partial(node.parameters, self._scope), self._event))
                continue
            try:
                holds = node.expression.evaluate(self._scope)
            except EvaluationError as exc:
                self._failed(node, exc, result)
                continue
            result.conditions.append(ConditionResult(node, holds))
            if holds:
                self.children(node.children, result)

    def _failed(self, condition: Condition, exc: EvaluationError, result: ScenarioResult) -> None:
        """Note that a condition has no value; stop if the rules say so."""
        error = _error(exc)
        result.conditions.append(ConditionResult(condition, holds=False, error=error))
        if not self._fail_open:
            raise _Stopped(f"condition {condition.id} failed: {error}") from exc


def planned(action: Action, make_parameters: Callable[[], Parameters], event: Event) -> PlannedAction:
    """Plan an action for an event; the plan says what is wrong with it."""
    try:
        parameters, message = action.type.plan(make_parameters(), event)
        if (effect := effect_of(action.type)) != action.type.type:
            parameters = _OWN[effect].plan(parameters, event).parameters
    except EvaluationError as exc:
        return PlannedAction(action, {}, "", _error(exc))
    except ValueError as exc:
        return PlannedAction(action, {}, "", str(exc) or type(exc).__name__)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - types of other packages may fail in any way
        return PlannedAction(action, {}, "", f"{action.type.type} cannot plan it: {type(exc).__name__}: {exc}")
    return PlannedAction(action, parameters, str(message).encode("utf-8", "replace").decode())


def _error(exc: EvaluationError) -> str:
    return f"{exc} (at character {exc.offset + 1})"
