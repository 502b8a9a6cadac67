"""Rule files and events for the commands that need no server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wfx.commandline.failures import EXIT_FAILED, Failure
from wfx.commandline.terminal import neutralise
from wfxctl import gojson
from wfxctl.invocation import ClientInvocation

if TYPE_CHECKING:  # the rules are slow to import, and most commands do not need them
    from wfx.rules.evaluation import ConditionResult, Evaluation, PlannedAction, ScenarioResult
    from wfx.rules.event import Event
    from wfx.rules.graph import Graph, Scenario


class FaultyRules(Failure):
    """A rule file has faults, which are the result of the command."""


def load(call: ClientInvocation, name: str, *, strict: bool = False) -> Graph:
    """Return the rules of a file, ``-`` for standard input, in strict mode or not.

    Raises Failure; faults are printed before.
    """
    from wfx.expressions.expression import Compiler
    from wfx.expressions.library import all_functions
    from wfx.rules.faults import RulesInvalid
    from wfx.rules.own_actions import all_actions
    from wfx.rules.rule_file import load as load_rules
    from wfx.rules.step_types import installed_steps

    content = call.read_standard_input() if name == "-" else call.read(name)
    try:
        compiler, types = Compiler(all_functions(), strict=strict), all_actions(installed_steps())
    except ValueError as exc:
        raise Failure(str(exc)) from exc
    shown = "standard input" if name == "-" else name
    try:
        return load_rules(content, compiler, types)
    except RulesInvalid as exc:
        for fault in exc.faults:
            call.out.write(f"ERROR: {neutralise(fault.at(shown))}\n")
        many = f"{len(exc.faults)} faults" if len(exc.faults) > 1 else "a fault"
        raise FaultyRules(f"{shown} has {many}", EXIT_FAILED) from exc


def read_event(call: ClientInvocation) -> Event:
    """Return the event of the option ``event``: a JSON object, or the name of a file. Raises Failure."""
    from wfx.rules.event import event_of

    given = call.required("event", "event")
    if given.lstrip().startswith("{"):
        content, name = given.encode("utf-8", "surrogateescape"), "the event"
    elif given == "-":
        content, name = call.read_standard_input(), "standard input"
    else:
        content, name = call.read(given), given
    try:
        return event_of(gojson.decode(content, unique=True))
    except ValueError as exc:
        raise Failure(f"{name} cannot be used: {exc}") from exc


def evaluation_document(graph: Graph, event: Event, evaluation: Evaluation) -> dict[str, Any]:
    """Return what an event brings about, as a document: each scenario, its conditions and its planned actions."""
    results = {result.scenario.id: result for result in evaluation.results}
    document: dict[str, Any] = {
        "scenarios_matched": list(evaluation.matched),
        "scenarios": [_scenario(one, results.get(one.id), event) for one in graph.scenarios],
        "outputs": dict(evaluation.outputs),
    }
    if evaluation.error:
        document["error"] = evaluation.error
    return document


def _scenario(scenario: Scenario, result: ScenarioResult | None, event: Event) -> dict[str, Any]:
    document: dict[str, Any] = {"id": scenario.id}
    if result is None:
        return document | {"skipped": _reason(scenario, event)}
    return document | {
        "conditions": list(map(_condition, result.conditions)),
        "actions": list(map(_action, result.actions)),
    }


def _reason(scenario: Scenario, event: Event) -> str:
    if not scenario.enabled:
        return "it is disabled"
    if event.type not in scenario.event_types:
        return f"it is for {', '.join(scenario.event_types)}, not for {event.type}"
    if scenario.sources is not None and event.source not in scenario.sources:
        return f"it is for the sources {', '.join(sorted(scenario.sources))}, not for {event.source or 'none'}"
    return "a condition before it failed"


def _condition(result: ConditionResult) -> dict[str, Any]:
    document = {"id": result.condition.id, "expression": result.condition.expression.text, "value": result.holds}
    return document | {"error": result.error} if result.error else document


def _action(planned: PlannedAction) -> dict[str, Any]:
    document: dict[str, Any] = {"action_id": planned.action.id, "type": planned.action.type.type}
    if planned.error:
        return document | {"error": planned.error}
    return document | {"params": dict(planned.parameters), "message": planned.message}
