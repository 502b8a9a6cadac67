from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from tests.domain.samples import PRESS, altered_workflows, edge, flow, graphs, workflows
from wfx.domain.errors import WorkflowInvalid
from wfx.domain.validation import check, faults
from wfx.domain.workflow import Actor, Group, State, Transition, Trigger, Workflow

NOW = Trigger.IMMEDIATE


def complaint(workflow: Workflow) -> str:
    """Return what is wrong with the workflow, or nothing."""
    try:
        check(workflow)
    except WorkflowInvalid as refused:
        return str(refused)
    return ""


BROKEN = {
    "state with U+0000": (flow("A\0"), r"the name of state '\x00' contains the character U+0000"),
    "group with U+0000": (
        flow("A", groups=(Group("G\0", ("A",)),)),
        r"the name of group 'G\x00' contains the character U+0000",
    ),
    "1 state twice": (flow("ABA", edge("A", "B")), "state 'A' exists already: state names must be unique"),
    "2 state in two groups": (
        flow("A", groups=(Group("X", ("A",)), Group("Y", ("A",)))),
        "state 'A' is in more than one group: 'X' and 'Y'",
    ),
    "2 state twice in a group": (
        flow("A", groups=(Group("X", ("A", "A")),)),
        "state 'A' is in more than one group: 'X' and 'X'",
    ),
    "2 unknown state in two groups": (
        flow("A", groups=(Group("X", ("Q",)), Group("Y", ("Q",)))),
        "state 'Q' is in more than one group: 'X' and 'Y'",
    ),
    "3 group twice": (
        flow("AB", edge("A", "B"), groups=(Group("X", ("A",)), Group("X", ("B",)))),
        "group name 'X' is used several times",
    ),
    "4 unknown origin": (flow("A", edge("Q", "A")), "transition 'Q' -> 'A' has an unknown state 'Q'"),
    "4 unknown target": (flow("A", edge("A", "Q")), "transition 'A' -> 'Q' has an unknown state 'Q'"),
    "5 same edge twice": (
        flow("AB", edge("A", "B"), edge("A", "B")),
        "duplicate transition 'A' -> 'B' for eligible 'CLIENT'",
    ),
    "5 the trigger makes no other edge": (
        flow("AB", edge("A", "B", Actor.WFX), edge("A", "B", Actor.WFX, NOW)),
        "duplicate transition 'A' -> 'B' for eligible 'WFX'",
    ),
    "6 two immediate ones": (
        flow("ABC", edge("A", "B", Actor.WFX, NOW), edge("A", "C", Actor.CLIENT, NOW)),
        "more than one immediate action from state 'A'",
    ),
    "7 immediate beside another": (
        flow("ABC", edge("A", "B", Actor.WFX, NOW), edge("A", "C")),
        "impossible transition 'A' -> 'C': 'A' -> 'B' is immediate, so it must be the only one",
    ),
    "7 immediate beside a self-loop": (
        flow("AB", edge("A", "A"), edge("A", "B", Actor.WFX, NOW)),
        "impossible transition 'A' -> 'A': 'A' -> 'B' is immediate, so it must be the only one",
    ),
    "immediate self-loop": (
        flow("A", edge("A", "A", Actor.WFX, NOW)),
        "immediate transition 'A' -> 'A' leads back to its own state and would be taken without end",
    ),
    "8 no state": (flow(""), "there must be exactly one INITIAL state, but there are no states at all"),
    "8 two initial states": (
        flow("ABC", edge("A", "C"), edge("B", "C")),
        "there must be exactly one INITIAL state, but no other state leads to 'A' nor to 'B'",
    ),
    "8 lone state": (
        flow("AB", edge("B", "B")),
        "there must be exactly one INITIAL state, but no other state leads to 'A' nor to 'B'",
    ),
    "9 cycle": (
        flow("ABC", edge("A", "B"), edge("B", "C"), edge("C", "B")),
        "cycle from 'B' to 'C', from where 'B' is reached again",
    ),
    "9 nothing but a cycle": (
        flow("AB", edge("A", "B"), edge("B", "A")),
        "cycle from 'A' to 'B', from where 'A' is reached again",
    ),
    "9 cycle apart from the initial state": (
        flow("ABC", edge("B", "C"), edge("C", "B")),
        "cycle from 'B' to 'C', from where 'B' is reached again",
    ),
}

FINE = {
    "one state": flow("A"),
    "no groups given": flow("AB", edge("A", "B")),
    "empty groups": flow("A", groups=()),
    "initial state listed last": flow("CBA", edge("A", "B"), edge("B", "C")),
    "both sides on one edge": flow("AB", edge("A", "B"), edge("A", "B", Actor.WFX)),
    "self-loops of both sides": flow("A", edge("A", "A"), edge("A", "A", Actor.WFX, Trigger.WAIT)),
    "immediate self-loop of the client, which nobody follows": flow("A", edge("A", "A", Actor.CLIENT, NOW)),
    "immediate edge of the client": flow("AB", edge("A", "B", Actor.CLIENT, NOW)),
    "group of unknown states": flow("A", groups=(Group("X", ("nowhere",)),)),
    "two ways that meet": flow("ABCD", edge("A", "B"), edge("A", "C"), edge("B", "D"), edge("C", "D")),
    "several final states": flow("ABC", edge("A", "B"), edge("A", "C")),
    "the press": PRESS,
}


@pytest.mark.parametrize(("workflow", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_rule_is_named_with_its_place(workflow: Workflow, message: str) -> None:
    """A workflow that breaks a rule is refused, and the message names the rule and the place."""
    assert complaint(workflow) == message


@pytest.mark.parametrize("workflow", FINE.values(), ids=FINE)
def test_sensible_workflow_is_accepted(workflow: Workflow) -> None:
    """A workflow that keeps the rules is accepted, also where it looks unusual."""
    check(workflow)


TWICE_BROKEN = {
    "1 before 2": (flow("AA", groups=(Group("X", ("A", "A")),)), "exists already"),
    "2 before 3": (flow("A", groups=(Group("X", ("A",)), Group("X", ("A",)))), "in more than one group"),
    "3 before 4": (flow("A", edge("A", "Q"), groups=(Group("X", ("A",)), Group("X", ("B",)))), "used several times"),
    "4 before 5": (flow("A", edge("A", "Q"), edge("A", "Q")), "unknown state"),
    "5 before 6": (flow("AB", edge("A", "B", Actor.WFX, NOW), edge("A", "B", Actor.WFX, NOW)), "duplicate transition"),
    "7 before the endless loop": (flow("AB", edge("A", "A", Actor.WFX, NOW), edge("A", "B")), "impossible transition"),
    "the endless loop before 8": (flow("AB", edge("A", "A", Actor.WFX, NOW)), "without end"),
    "8 before 9": (flow("ABCD", edge("C", "D"), edge("D", "C")), "INITIAL"),
}


@pytest.mark.parametrize(("workflow", "part"), TWICE_BROKEN.values(), ids=TWICE_BROKEN)
def test_first_rule_in_order_wins(workflow: Workflow, part: str) -> None:
    """Of several broken rules the first in the contract's order is reported."""
    assert part in complaint(workflow)


def test_every_fault_is_found() -> None:
    """A workflow that breaks several rules, each in several places, is told all of them, rule by rule."""
    edges = (edge("A", "Q"), edge("P", "B"), edge("A", "B"), edge("B", "A"), edge("C", "C", Actor.WFX, NOW))
    broken = flow("AABBC", *edges)
    assert list(faults(broken)) == [
        ("state 'A' exists already: state names must be unique", ("states", 1, "name")),
        ("state 'B' exists already: state names must be unique", ("states", 3, "name")),
        ("transition 'A' -> 'Q' has an unknown state 'Q'", ("transitions", 0, "to")),
        ("transition 'P' -> 'B' has an unknown state 'P'", ("transitions", 1, "from")),
        (
            "immediate transition 'C' -> 'C' leads back to its own state and would be taken without end",
            ("transitions", 4),
        ),
        ("cycle from 'A' to 'B', from where 'A' is reached again", ("transitions", 3)),
    ]


@pytest.mark.parametrize("workflow", [workflow for workflow, _ in BROKEN.values()], ids=BROKEN)
def test_each_fault_has_a_place(workflow: Workflow) -> None:
    """What is wrong is told with the place of it in the workflow's document."""
    for fault in faults(workflow):
        part: Any = {"states": []} | orjson.loads(workflow.encoded)
        for step in fault.place:
            part = part[step]


def test_first_place_in_list_order_wins() -> None:
    """Of several places that break the same rule the first as listed is reported."""
    assert "state 'B'" in complaint(flow("ABBA"))
    assert "'A' -> 'Q'" in complaint(flow("A", edge("A", "Q"), edge("A", "P")))
    assert "'A' nor to 'B'" in complaint(flow("ABC"))


def sensible(workflow: Workflow) -> bool:
    """Decide by brute force whether the workflow keeps the rules."""
    names = [state.name for state in workflow.states]
    groups = workflow.groups or ()
    grouped = [state for group in groups for state in group.states]
    edges = workflow.transitions
    leaving = {name: [t for t in edges if t.origin == name] for name in names}
    ahead = {(a, b): any(t.origin == a != b == t.target for t in edges) for a, b in product(names, names)}
    for middle, start, end in product(names, names, names):
        ahead[start, end] |= ahead[start, middle] and ahead[middle, end]
    return (
        all(len(set(listed)) == len(listed) for listed in (names, grouped, [group.name for group in groups]))
        and {end for t in edges for end in (t.origin, t.target)} <= set(names)
        and len({(t.origin, t.target, t.eligible) for t in edges}) == len(edges)
        and all(len(ts) == 1 for ts in leaving.values() if any(t.trigger is NOW for t in ts))
        and not any(t.origin == t.target and t.trigger is NOW and t.eligible is Actor.WFX for t in edges)
        and sum(all(ahead[start, name] or start == name for name in names) for start in names) == 1
        and not any(ahead[name, name] for name in names)
    )


@settings(max_examples=200)
@given(graphs | altered_workflows())
def test_accepts_exactly_what_keeps_the_rules(workflow: Workflow) -> None:
    """Any small workflow, with or without sense, is judged as brute force over the rules judges it."""
    assert (complaint(workflow) == "") == sensible(workflow)


@given(workflows())
def test_accepts_all_that_are_built_to_rule(workflow: Workflow) -> None:
    """A workflow built along the rules is accepted in whatever order its states and transitions are listed."""
    check(workflow)


LARGE = 4096, 16384, 1024
"""States, transitions and groups at most (rest-api section 4.1)."""


def large(back: tuple[Transition, ...] = ()) -> Workflow:
    """Build a workflow as large as the contract allows, whose longest way visits all states."""
    states, transitions, groups = LARGE
    ends = [(i, j) for step in range(1, 6) for i in range(states) if (j := i + step) < states]
    return Workflow(
        "large.flow",
        tuple(State(f"S{i}") for i in reversed(range(states))),
        (*(edge(f"S{i}", f"S{j}") for i, j in ends[: transitions - len(back)]), *back),
        tuple(Group(f"G{i}", (f"S{4 * i}", f"S{4 * i + 1}")) for i in range(groups)),
    )


def test_largest_workflow_is_accepted() -> None:
    """A workflow of 4096 states in a row, 16384 transitions and 1024 groups is accepted."""
    workflow = large()
    assert (len(workflow.states), len(workflow.transitions), len(workflow.groups or ())) == LARGE
    check(workflow)


def test_long_cycle_is_found() -> None:
    """A cycle through almost all of 4096 states is found."""
    workflow = large((edge("S4095", "S1"),))
    assert complaint(workflow) == "cycle from 'S4095' to 'S4094', from where 'S4095' is reached again"
