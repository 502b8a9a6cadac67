"""First look at events of the log, held against the evaluation of the same events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rules.rulebook import NOON, loaded

from wfx.domain.cause import Cause
from wfx.domain.job import Action, Event
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Group, State, Workflow
from wfx.expressions.scope import KnownFacts
from wfx.reactions.event_of_log import event_of_log
from wfx.reactions.first_look import FirstLook
from wfx.rules.evaluation import Evaluation, evaluate

FLOW = Workflow("w", (State("A"), State("B")), groups=(Group("FAILED", ("B",)),))
TOLD = (
    'payload.to == "B"', "payload.from != payload.to", 'payload.group == "FAILED"', "payload.nothing", "payload.to > 1",
    'payload.to == "A" OR payload.client contains "c"', "payload.to", 'vars:get("to") == "B"', 'event.source == "wfx"',
    'NOT payload.workflow matches "^x"', 'event.id == "log-9" AND event.actor_id == "c"',
    'vars:exists("payload.job_id")',
)  # fmt: skip
"""Conditions on what events tell of themselves; some of them fail."""
ASKED = (
    'payload.tags contains "now"', 'payload.tags.0 == "now"', 'vars:exists("tags")', 'vars:isEmpty("payload")',
    'payload.cause.side == "south"', 'score("c") >= 1', 'payload.to == "B" AND NOT payload.tags contains "now"',
    'isUserInAnyGroup("u", ["g"])',
)  # fmt: skip
"""Conditions that need more than that."""


def nodes(expressions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return conditions inside of conditions, with actions here and there."""
    action = st.just("action: {id: ID, type: add_tags, params: {tags: [x]}}")
    expression = st.sampled_from(expressions)

    def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        children = st.lists(inner.map("{{{}}}".format), min_size=1, max_size=3).map(", ".join)
        return st.builds("condition: {{id: ID, expression: '{}', children: [{}]}}".format, expression, children)

    return st.recursive(around(action), lambda inner: around(inner | action), max_leaves=8)


def files(expressions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return rule files of scenarios for events of the log, or for others."""
    sources = st.sampled_from(["", "    sources: [wfx]\n", "    sources: [elsewhere]\n"])
    scenario = st.builds(
        "  - id: ID\n    event_types: [job.update_status, job.create]\n{}    children: [{{{}}}]\n".format,
        sources,
        nodes(expressions),
    )
    return st.lists(scenario, min_size=1, max_size=4).map(lambda found: _numbered("".join(found)))


def _numbered(text: str) -> str:
    first, *others = text.split("ID")
    return "version: v1\nscenarios:\n" + first + "".join(f"i{n}{other}" for n, other in enumerate(others))


def seen(file: str, action: Action, state: str) -> tuple[bool, Evaluation]:
    """Return whether an event is to be evaluated, and the evaluation."""
    graph = loaded(file)
    payload = encode({"status": {"state": state}})
    event = Event(9, Timestamp(0), action, "j", "c", FLOW, payload, "A", Cause("r", "south").encoded)
    look = FirstLook(graph, "log")
    branch = look.branch(event)
    assert branch is not None
    facts = KnownFacts(scores={"c": 1})
    return look.may_do(event, branch, NOON), evaluate(graph, event_of_log(event, "log", ["now"]), facts, NOON)


def brings_something(evaluation: Evaluation) -> bool:
    """Tell whether an evaluation has actions, or conditions that fail."""
    failed = any(one.error for result in evaluation.results for one in result.conditions)
    return bool(evaluation.matched) or failed


KINDS = st.sampled_from([Action.UPDATE_STATUS, Action.CREATE])
STATES = st.sampled_from(["A", "B"])


@given(files(TOLD), KINDS, STATES)
def test_events_are_evaluated_that_bring_something_about(file: str, action: Action, state: str) -> None:
    """Of events that tell all that conditions ask for, those alone are evaluated that reach an action, or fail."""
    is_evaluated, evaluation = seen(file, action, state)
    assert is_evaluated is brings_something(evaluation)


@given(files(TOLD + ASKED), KINDS, STATES)
def test_no_event_is_passed_over_that_brings_something_about(file: str, action: Action, state: str) -> None:
    """Whatever conditions ask for, an event that reaches an action, or whose conditions fail, is evaluated."""
    is_evaluated, evaluation = seen(file, action, state)
    assert is_evaluated or not brings_something(evaluation)
