"""Validation of workflows: the rules of rest-api section 8, in its order, with the improvements of section 17.

Each rule yields what is wrong, in the order in which the workflow lists things, whatever other rules are broken too.
All are linear in the size of the workflow, and none recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from wfx.domain.errors import WorkflowInvalid
from wfx.domain.workflow import Actor, Group, State, Transition, Trigger, Workflow

MOST = 128
"""Faults that one answer names."""
_LONGEST_NAME = 200

DocumentPath = tuple[str | int, ...]
"""Where in a workflow's document something stands: ``("transitions", 3, "to")``."""


class Fault(NamedTuple):
    """One rule that a workflow breaks."""

    text: str
    place: DocumentPath


def check(workflow: Workflow) -> None:
    """Raise WorkflowInvalid with the faults of the workflow, the first :data:`MOST` of them; the first rule's first."""
    found = [fault.text for fault in islice(faults(workflow), MOST)]
    if found:
        raise WorkflowInvalid(*found)


def faults(workflow: Workflow) -> Iterator[Fault]:
    """Yield all that is wrong with a workflow, rule by rule."""
    return chain.from_iterable(rule(workflow) for rule in _RULES)


def _names_storable(workflow: Workflow) -> Iterator[Fault]:
    # Jobs are found by state and group, so both are text columns, and PostgreSQL's text cannot hold this character.
    kinds: dict[str, tuple[State | Group, ...]] = {"state": workflow.states, "group": workflow.groups or ()}
    for kind, listed in kinds.items():
        for number, named in enumerate(listed):
            if "\0" in named.name:
                text = f"the name of {kind} {_short(named.name)!r} contains the character U+0000"
                yield Fault(text, (f"{kind}s", number, "name"))


def _states_unique(workflow: Workflow) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, state in enumerate(workflow.states):
        if state.name in seen:
            text = f"state {_quoted(state.name)} exists already: state names must be unique"
            yield Fault(text, ("states", number, "name"))
        seen.add(state.name)


def _states_grouped_once(workflow: Workflow) -> Iterator[Fault]:
    group_of: dict[str, str] = {}
    for number, group in enumerate(workflow.groups or ()):
        for position, state in enumerate(group.states):
            if state in group_of:
                both = f"{_quoted(group_of[state])} and {_quoted(group.name)}"
                text = f"state {_quoted(state)} is in more than one group: {both}"
                yield Fault(text, ("groups", number, "states", position))
            group_of.setdefault(state, group.name)


def _groups_unique(workflow: Workflow) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, group in enumerate(workflow.groups or ()):
        if group.name in seen:
            yield Fault(f"group name {_quoted(group.name)} is used several times", ("groups", number, "name"))
        seen.add(group.name)


def _ends_declared(workflow: Workflow) -> Iterator[Fault]:
    declared = {state.name for state in workflow.states}
    for number, t in enumerate(workflow.transitions):
        for end, name in {t.origin: "from", t.target: "to"}.items():
            if end not in declared:
                text = f"transition {_edge(t)} has an unknown state {_quoted(end)}"
                yield Fault(text, ("transitions", number, name))


def _transitions_unique(workflow: Workflow) -> Iterator[Fault]:
    seen: set[tuple[str, str, Actor]] = set()
    for number, t in enumerate(workflow.transitions):
        key = (t.origin, t.target, t.eligible)
        if key in seen:
            text = f"duplicate transition {_edge(t)} for eligible '{t.eligible}'"
            yield Fault(text, ("transitions", number))
        seen.add(key)


def _one_immediate(workflow: Workflow) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, t in enumerate(workflow.transitions):
        if t.trigger is Trigger.IMMEDIATE:
            if t.origin in seen:
                text = f"more than one immediate action from state {_quoted(t.origin)}"
                yield Fault(text, ("transitions", number))
            seen.add(t.origin)


def _immediate_alone(workflow: Workflow) -> Iterator[Fault]:
    immediate = {t.origin: t for t in reversed(workflow.transitions) if t.trigger is Trigger.IMMEDIATE}
    for number, t in enumerate(workflow.transitions):
        if t.origin in immediate and t.trigger is not Trigger.IMMEDIATE:
            taken = _edge(immediate[t.origin])
            text = f"impossible transition {_edge(t)}: {taken} is immediate, so it must be the only one"
            yield Fault(text, ("transitions", number))


def _immediate_leads_away(workflow: Workflow) -> Iterator[Fault]:
    for number, t in enumerate(workflow.transitions):
        if t.origin == t.target and t.trigger is Trigger.IMMEDIATE and t.eligible is Actor.WFX:
            text = f"immediate transition {_edge(t)} leads back to its own state and would be taken without end"
            yield Fault(text, ("transitions", number))


def _one_initial(workflow: Workflow) -> Iterator[Fault]:
    must = "there must be exactly one INITIAL state"
    if not workflow.states:
        yield Fault(f"{must}, but there are no states at all", ("states",))
    entered = {t.target for t in workflow.transitions if t.origin != t.target}
    numbers: dict[str, int] = {}
    for number, state in enumerate(workflow.states):
        numbers.setdefault(state.name, number)
    first, *others = [name for name in numbers if name not in entered] or [""]
    for name in others:
        text = f"{must}, but no other state leads to {_quoted(first)} nor to {_quoted(name)}"
        yield Fault(text, ("states", numbers[name], "name"))


def _acyclic(workflow: Workflow) -> Iterator[Fault]:
    """Walk depth first from every state. With one initial state and no cycle, every state is reachable from it.

    (Going back from any state along transitions ends, without a cycle, at a state without incoming ones.)
    """
    following: dict[str, dict[str, int]] = {state.name: {} for state in workflow.states}
    for number, t in enumerate(workflow.transitions):
        if t.origin != t.target and t.origin in following and t.target in following:
            following[t.origin].setdefault(t.target, number)
    done: set[str] = set()
    for start, successors in following.items():
        path = {start: iter(successors)} if start not in done else {}
        while path:
            state, remaining = next(reversed(path.items()))
            successor = next((s for s in remaining if s not in done), None)
            if successor is None:
                path.popitem()
                done.add(state)
            elif successor in path:
                end = _quoted(successor)
                text = f"cycle from {end} to {_quoted(state)}, from where {end} is reached again"
                yield Fault(text, ("transitions", following[state][successor]))
            else:
                path[successor] = iter(following[successor])


def _edge(transition: Transition) -> str:
    return f"{_quoted(transition.origin)} -> {_quoted(transition.target)}"


def _quoted(name: str) -> str:
    return f"'{_short(name)}'"


def _short(name: str) -> str:
    """Leave out the middle of a long name: it may have megabytes, and stand in each of many messages."""
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


_RULES = (
    _names_storable,
    _states_unique,
    _states_grouped_once,
    _groups_unique,
    _ends_declared,
    _transitions_unique,
    _one_immediate,
    _immediate_alone,
    _immediate_leads_away,
    _one_initial,
    _acyclic,
)
