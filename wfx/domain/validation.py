"""Which workflows make sense: the rules of rest-api section 8, in its order, with the improvements of section 17.

Each rule yields what is wrong, in the order in which the workflow lists things. A rule may rely on those before it. All
are linear in the size of the workflow, and none recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from wfx.domain.errors import WorkflowInvalid
from wfx.domain.workflow import Actor, Transition, Trigger, Workflow


def check(workflow: Workflow) -> None:
    """Raise WorkflowInvalid for the first rule that the workflow breaks, naming the place."""
    complaint = next(chain.from_iterable(rule(workflow) for rule in _RULES), None)
    if complaint is not None:
        raise WorkflowInvalid(complaint)


def _names_storable(workflow: Workflow) -> Iterator[str]:
    # Jobs are found by state and group, so both are text columns, and PostgreSQL's text cannot hold this character.
    for kind, names in (("state", workflow.states), ("group", workflow.groups or ())):
        for named in names:
            if "\0" in named.name:
                yield f"the name of {kind} {named.name!r} contains the character U+0000"


def _states_unique(workflow: Workflow) -> Iterator[str]:
    seen: set[str] = set()
    for state in workflow.states:
        if state.name in seen:
            yield f"state '{state.name}' exists already: state names must be unique"
        seen.add(state.name)


def _states_grouped_once(workflow: Workflow) -> Iterator[str]:
    group_of: dict[str, str] = {}
    for group in workflow.groups or ():
        for state in group.states:
            if state in group_of:
                yield f"state '{state}' is in more than one group: '{group_of[state]}' and '{group.name}'"
            group_of.setdefault(state, group.name)


def _groups_unique(workflow: Workflow) -> Iterator[str]:
    seen: set[str] = set()
    for group in workflow.groups or ():
        if group.name in seen:
            yield f"group name '{group.name}' is used several times"
        seen.add(group.name)


def _ends_declared(workflow: Workflow) -> Iterator[str]:
    declared = {state.name for state in workflow.states}
    for transition in workflow.transitions:
        for end in (transition.origin, transition.target):
            if end not in declared:
                yield f"transition {_edge(transition)} has an unknown state '{end}'"


def _transitions_unique(workflow: Workflow) -> Iterator[str]:
    seen: set[tuple[str, str, Actor]] = set()
    for transition in workflow.transitions:
        key = (transition.origin, transition.target, transition.eligible)
        if key in seen:
            yield f"duplicate transition {_edge(transition)} for eligible '{transition.eligible}'"
        seen.add(key)


def _one_immediate(workflow: Workflow) -> Iterator[str]:
    seen: set[str] = set()
    for transition in workflow.transitions:
        if transition.trigger is Trigger.IMMEDIATE:
            if transition.origin in seen:
                yield f"more than one immediate action from state '{transition.origin}'"
            seen.add(transition.origin)


def _immediate_alone(workflow: Workflow) -> Iterator[str]:
    immediate = {t.origin: t for t in workflow.transitions if t.trigger is Trigger.IMMEDIATE}
    for transition in workflow.transitions:
        taken = immediate.get(transition.origin, transition)
        if taken is not transition:
            yield f"impossible transition {_edge(transition)}: {_edge(taken)} is immediate, so it must be the only one"


def _immediate_leads_away(workflow: Workflow) -> Iterator[str]:
    for t in workflow.transitions:
        if t.origin == t.target and t.trigger is Trigger.IMMEDIATE and t.eligible is Actor.WFX:
            yield f"immediate transition {_edge(t)} leads back to its own state and would be taken without end"


def _one_initial(workflow: Workflow) -> Iterator[str]:
    if not workflow.states:
        yield "there must be exactly one INITIAL state, but there are no states at all"
    entered = {t.target for t in workflow.transitions if t.origin != t.target}
    initial = [state.name for state in workflow.states if state.name not in entered]
    for other in initial[1:]:
        yield f"there must be exactly one INITIAL state, but no other state leads to '{initial[0]}' nor to '{other}'"


def _acyclic(workflow: Workflow) -> Iterator[str]:
    """Walk depth first from every state. With one initial state and no cycle, every state is reachable from it.

    (Going back from any state along transitions ends, without a cycle, at a state without incoming ones.)
    """
    following: dict[str, list[str]] = {state.name: [] for state in workflow.states}
    for t in workflow.transitions:
        if t.origin != t.target:
            following[t.origin].append(t.target)
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
                yield f"cycle from '{successor}' to '{state}', from where '{successor}' is reached again"
            else:
                path[successor] = iter(following[successor])


def _edge(transition: Transition) -> str:
    return f"'{transition.origin}' -> '{transition.target}'"


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
