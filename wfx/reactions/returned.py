"""What runs of scripts and steps return: it is read and checked as a whole before anything of it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wfx.commandline.grammar import closest
from wfx.domain.definition import DEEPEST, depth_within
from wfx.domain.json import Json, decode
from wfx.rules.action_types import ActionType, ActionTypes, Parameters, faults_of
from wfx.rules.declared_action import FORMULA
from wfx.rules.own_actions import SET_OUTPUT
from wfx.tasks.performing import CannotBeDone

MOST_ACTIONS = 100
"""Actions that a run may ask for: all are done in one transaction, which others wait for."""
_SHOWN = 100
"""Characters of a name that are told."""
_TOLD = 400
"""Characters of a fault that are told."""


class ReturnedAction(NamedTuple):
    """An action that a run asks for."""

    type: ActionType
    parameters: Parameters


class Returned(NamedTuple):
    """What a run wants to be done."""

    next: str
    """The state that the job is to go into; empty if none."""
    context: Mapping[str, Any] | None
    """Of the new status."""
    actions: Sequence[ReturnedAction]


def decoded(text: bytes) -> Mapping[str, Any]:
    """Decode what a script returned. Raises CannotBeDone for what is JSON to the script, and to nobody else here."""
    try:
        value: Mapping[str, Any] = decode(Json(text))
    except ValueError as exc:
        raise CannotBeDone(f"the script returned a value that cannot be read: {exc}") from exc
    return value


async def read(value: Mapping[str, Any], who: str, types: Callable[[], ActionTypes]) -> Returned:
    """Read what a script or step returned. Raises CannotBeDone for what no rule could have, wherever it stands.

    The types are asked for in a thread, since packages may have to be looked for, and only if there are actions.
    """
    following, context, actions = value.get("next", ""), value.get("payload"), value.get("actions", [])
    if not following:
        context = None
    if context is not None and not isinstance(context, dict):
        raise CannotBeDone(f"the {who} returned a payload that is no object, which a context must be")
    if not depth_within(context, DEEPEST):
        raise CannotBeDone(f"the {who} returned a payload that is nested more than {DEEPEST} levels deep")
    if not isinstance(actions, list):
        raise CannotBeDone(f"the {who} returned actions that are no list")
    if len(actions) > MOST_ACTIONS:
        raise CannotBeDone(f"the {who} returned {len(actions)} actions, at most {MOST_ACTIONS} are done")
    found = [*_actions(actions, who, await asyncio.to_thread(types))] if actions else []
    return Returned(following, context, found)


def _actions(given: Sequence[Any], who: str, types: ActionTypes) -> Iterator[ReturnedAction]:
    for number, each in enumerate(given, 1):
        found = _action(each, types)
        if isinstance(found, str):
            raise CannotBeDone(f"action {number} that the {who} returned {found}")
        yield found


def _action(given: Any, types: ActionTypes) -> ReturnedAction | str:
    """Return an action, or why no rule could have it."""
    if not isinstance(given, dict) or not isinstance(name := given.get("type"), str):
        return "is no object with a type"
    if (kind := types.get(name)) is None:
        return f"has an unknown type {name[:_SHOWN]!a}{closest(name[:_SHOWN], list(types))}"
    if not isinstance(params := given.get("params", {}), dict):
        return "has params that are no object"
    parameters = {name: value for name, value in params.items() if value is not None}  # null is what a script lacks
    return _fault(kind, parameters) or ReturnedAction(kind, parameters)


def _fault(kind: ActionType, parameters: Parameters) -> str:
    """Return what is wrong with parameters for any event, or nothing."""
    if kind.type == SET_OUTPUT:
        return f"has the type {SET_OUTPUT}, which sets variables of rules alone"
    for name in parameters:
        if name.endswith(FORMULA):
            return f"has the formula {name[:_SHOWN]!a}, which only rules calculate: give the value instead"
    for text, name in faults_of(kind, parameters):
        at = f" at {name[:_SHOWN]!a}" if name else ""
        return f"cannot be {kind.type}{at}: {text[:_TOLD]}"
    return ""
