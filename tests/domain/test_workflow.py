from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import PRESS, edge, flow, graphs
from wfx.domain.json import encode
from wfx.domain.workflow import Actor, Group, Transition, Trigger, Workflow

CLIENT, WFX, NOW = Actor.CLIENT, Actor.WFX, Trigger.IMMEDIATE
ONE = flow("A")


@pytest.mark.parametrize(
    ("transitions", "final"),
    [
        ([edge("A", "B", WFX, NOW), edge("B", "C", WFX, NOW)], "C"),
        ([edge("A", "B", WFX, NOW), edge("B", "C", WFX, Trigger.WAIT)], "B"),
        ([edge("A", "B", WFX)], "A"),
        ([edge("A", "B", CLIENT, NOW)], "A"),
        ([edge("A", "A", WFX, NOW)], "A"),
        ([edge("A", "B", WFX, NOW), edge("B", "C", WFX, NOW), edge("C", "A", WFX, NOW)], "C"),
    ],
)
def test_immediate_transitions_are_followed_to_the_end(transitions: list[Transition], final: str) -> None:
    """Only transitions that are both immediate and the service's are followed, each state once at most."""
    assert flow("ABC", *transitions).settle("A") == final


@given(graphs, st.sampled_from("ABCDE"))
def test_chase_ends_in_any_graph(workflow: Workflow, state: str) -> None:
    """Following immediate transitions ends even in a workflow that no validation has seen."""
    known = {state, *(t.target for t in workflow.transitions)}
    assert workflow.settle(state) in known


def test_group_is_the_first_that_lists_the_state() -> None:
    """A job is in the first group that lists its state, or in none."""
    assert [PRESS.group_of(state) for state in ("READY", "RUN", "REST", "BROKEN")] == ["OPEN", "OPEN", "CLOSED", ""]
    assert flow("A", groups=(Group("X", ("B", "A")), Group("Y", ("A",)))).group_of("A") == "X"


def test_workflow_is_shown_as_given() -> None:
    """A workflow shows what was given, in the order it was given; blank members and empty lists are absent."""
    given_document = {
        "description": "d",
        "groups": [{"description": "g", "name": "OPEN", "states": ["A", "nowhere"]}],
        "name": "given.flow",
        "states": [{"name": "B"}, {"description": "s", "name": "A"}],
        "transitions": [
            {"action": "WAIT", "description": "t", "eligible": "WFX", "from": "A", "to": "B"},
            {"eligible": "CLIENT", "from": "A", "to": "B"},
        ],
    }
    workflow = Workflow.from_wire({**given_document, "unknown": 1})
    assert workflow.encoded == encode(given_document)
    assert Workflow("w", ONE.states, groups=()).encoded == b'{"name":"w","states":[{"name":"A"}]}'
    assert Workflow("w", ONE.states, groups=(Group("X", ("A",)),)).group_of("A") == "X"
    assert Workflow("a<b", ONE.states).encoded_reference == b'{"name":"a\\u003cb"}'
