"""What events bring about."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.rulebook import (
    FAILURE,
    NOON,
    PURCHASE,
    condition,
    evaluated,
    example,
    file_with,
    loaded,
    planned,
    tag,
    with_payload,
)

from wfx.domain.json import encode
from wfx.expressions.scope import KnownFacts
from wfx.rules.event import event_of


def test_the_purchase() -> None:
    """Expensive food gives 75 points; what is cheap, of another kind or another source gives nothing."""
    graph = example("high-value-food")
    found = evaluated(graph, PURCHASE)
    assert found.matched == ("sc_high_value_food",)
    (action,) = found.actions
    assert action.message == "Awarded 75 points to user_42 — High-value food purchase bonus"
    assert repr(action.parameters["points"]) == "75"
    assert [(one.condition.id, one.holds) for one in found.results[0].conditions] == [
        ("cond_high_value", True),
        ("cond_is_food", True),
    ]
    cheap = evaluated(graph, with_payload(PURCHASE, amount=500))
    assert (cheap.matched, cheap.actions) == ((), ())
    assert [(one.condition.id, one.holds) for one in cheap.results[0].conditions] == [("cond_high_value", False)]
    for other in (with_payload(PURCHASE, category="tools"), PURCHASE | {"source": "till"}, PURCHASE | {"type": "x"}):
        assert evaluated(graph, other).actions == ()


def test_roll_back_on_failure() -> None:
    """A failed update is tagged, told of and rolled back once: not for a repeated report, nor for the roll-back."""
    graph = example("roll-back")
    found = planned(evaluated(graph, FAILURE))
    assert found["tag_failed"] == {"tags": ["failed"], "job_id": "j1"}
    assert found["create_roll_back"] == {
        "client_id": "press-7",
        "workflow": "wfx.workflow.dau.direct",
        "definition": {"version": "1.0", "after": "j1"},
        "tags": ["roll-back"],
    }
    assert found["tell_operators"]["body"] == {"text": "The update of press-7 failed; a roll-back is on its way."}
    for other in ({"from": "TERMINATED"}, {"to": "ACTIVATED"}, {"tags": ["roll-back"]}):
        assert evaluated(graph, with_payload(FAILURE, **other)).actions == ()


def test_alert_after_three_failures() -> None:
    """Each failure is counted; the third one of a device is told of by mail."""
    graph = example("alert")
    assert list(planned(evaluated(graph, FAILURE, KnownFacts({"press-7": 1})))) == ["count_failure"]
    found = planned(evaluated(graph, FAILURE, KnownFacts({"press-7": 2})))
    assert found["mail_night_shift"]["subject"] == "press-7 has failed again"
    assert found["mail_night_shift"]["text"] == "Job j1 went from INSTALLING to TERMINATED."
    assert found["count_failure"]["actor_id"] == "press-7"


def test_quarantine_by_score() -> None:
    """The new jobs of a device that has failed often get a tag, unless they have it."""
    graph, created = example("quarantine"), FAILURE | {"type": "job.create"}
    often = KnownFacts({"press-7": 5})
    assert planned(evaluated(graph, created, often)) == {"tag_quarantine": {"tags": ["quarantine"], "job_id": "j1"}}
    assert evaluated(graph, with_payload(created, tags=["quarantine"]), often).actions == ()
    assert evaluated(graph, created).actions == ()


@pytest.mark.parametrize(("hour", "is_retried"), [(21, False), (22, True), (3, True), (4, False)])
def test_nightly_retry(hour: int, is_retried: bool) -> None:
    """What fails at night is tried once more, and by day is not."""
    graph, now = example("nightly-retry"), NOON.replace(hour=hour)
    assert ("try_again" in planned(evaluated(graph, FAILURE, now=now))) is is_retried
    assert evaluated(graph, with_payload(FAILURE, tags=["retry"]), now=now).actions == ()


FAILING = (condition("bad", "payload.a > 1", tag("below")), condition("good", "true", tag("beside")))


def test_a_failing_condition_ends_its_branch() -> None:
    """With fail_open, a condition that has no value is told of and ends its branch alone."""
    found = evaluated(loaded(file_with(*FAILING)), {"type": "t", "payload": {"a": "x"}})
    assert list(planned(found)) == ["beside"]
    assert found.results[0].conditions[0].error == "> compares numbers, and this is a text (at character 11)"
    assert found.error == ""


def test_a_failing_condition_ends_all() -> None:
    """Without fail_open, an event does nothing if a condition has no value, and it is said why."""
    text = file_with(tag("first"), *FAILING, more="engine: {fail_open: false}\n")
    found = evaluated(loaded(text), {"type": "t", "payload": {"a": "x"}})
    assert found.actions == ()
    assert found.error == "condition bad failed: > compares numbers, and this is a text (at character 11)"
    assert list(planned(evaluated(loaded(text), {"type": "t", "payload": {"a": 2}}))) == ["first", "below", "beside"]


def test_a_failing_action_stops_no_other() -> None:
    """An action whose parameters have no value, or the wrong kind of it, has an error; the others are planned."""
    graph = loaded(file_with(tag("one", "['${payload.n}']"), tag("two", job="'${1 / payload.zero}'"), tag("three")))
    assert planned(evaluated(graph, {"type": "t", "payload": {"n": 1, "zero": 0}})) == {
        "one": "tags: a list of texts is needed, not a list of other things",
        "two": "division by zero (at character 5)",
        "three": {"tags": ["x"], "job_id": "j"},
    }


def test_what_the_event_lacks() -> None:
    """An action that takes its job or actor from the event says so if the event has none."""
    graph = loaded(file_with("{action: {id: a, type: add_tags, params: {tags: [x]}}}"))
    assert planned(evaluated(graph, {"type": "t"})) == {"a": "job_id is missing, and the event has none"}
    assert planned(evaluated(graph, {"type": "t", "payload": {"job_id": "j"}})) == {"a": {"tags": ["x"], "job_id": "j"}}


def output(name: str, function: str, value: str) -> str:
    """Make an action that sets the variable ``v``."""
    return f"""{{action: {{id: {name}, type: set_output, params: {{expression: 'flw.{function}("v", {value})'}}}}}}"""


@pytest.mark.parametrize(("function", "is_seen_later", "outputs"), [
    ("setOutput", True, {"v": 7}), ("setTransientOutput", True, {}), ("setLocalOutput", False, {}),
])  # fmt: skip
def test_variables(function: str, is_seen_later: bool, outputs: dict[str, Any]) -> None:
    """A variable is seen by what follows, a local one in its scenario alone; the result tells those of setOutput."""
    see = condition("here", 'vars:get("v") == 7', tag("a"))
    text = file_with(output("set", function, "payload.n + 1"), see)
    later = file_with(condition("there", 'vars:exists("v")', tag("b"))).partition("scenarios:\n")[2]
    found = evaluated(loaded(text + later.replace("id: s\n", "id: s2\n")), {"type": "t", "payload": {"n": 6}})
    assert ("a" in planned(found), "b" in planned(found)) == (True, is_seen_later)
    assert found.outputs == outputs


def test_sequences() -> None:
    """Numbers that actions draw are part of the result, so that they can be kept with the effects."""
    graph = loaded(file_with(tag("one", "['${seq:next(\"n\")}']"), tag("two", "['${seq:next(\"n\")}']")))
    found = evaluated(graph, {"type": "t"}, KnownFacts(sequences={"n": 7}))
    assert [one.parameters["tags"] for one in found.actions] == [["000008"], ["000009"]]
    assert found.sequences == {"n": 9}


@pytest.mark.parametrize(("document", "message"), [
    ([], "an event is an object"),
    ({}, "event type is required"),
    ({"type": ""}, "event type is required"),
    ({"type": 1}, "event type must be a text"),
    ({"type": "t", "payload": []}, "event payload must be an object"),
    ({"type": "t", "payloads": {}}, r"no member payloads \(did you mean payload\?\)"),
])  # fmt: skip
def test_what_is_no_event(document: object, message: str) -> None:
    """What is no event is refused with the reason."""
    with pytest.raises(ValueError, match=message):
        event_of(document)


def doubling(times: int) -> str:
    """Return actions that set a variable to a list of twice what it was, so often."""
    twice = 'flw.setOutput("x", [vars:get("x"), vars:get("x")])'
    return "\n".join(
        f"  - action: {{id: a{n}, type: set_output, params: {{expression: '{twice}'}}}}" for n in range(times)
    )


def test_variables_are_bounded() -> None:
    """A variable that doubles each time is set until all together are too large; then it stays as it was."""
    graph = loaded(f"version: v1\nscenarios:\n- id: s\n  event_types: [t]\n  children:\n{doubling(300)}\n")
    evaluation = evaluated(graph, {"type": "t"})
    errors = [action.error for action in evaluation.actions if action.error]
    assert 280 < len(errors) < 290
    assert {error.partition(" (")[0] for error in errors} == {
        "flw.setOutput: the variables for an event have at most 262,144 characters and values"
    }
    assert len(encode(evaluation.outputs)) < 1_000_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
NAMES = st.sampled_from(["amount", "category", "from", "to", "group", "tags", "client", "job_id", "workflow"])
GRAPHS = {name: example(name) for name in ("high-value-food", "roll-back", "alert", "quarantine", "nightly-retry")}


@given(
    st.sampled_from(sorted(GRAPHS)),
    st.sampled_from(["transaction", "job.update_status", "job.create"]),
    st.dictionaries(NAMES, JSON | st.sampled_from(["TERMINATED", "FAILED", "food", 1500])),
)
def test_evaluation_never_crashes_and_has_no_effect(name: str, kind: str, payload: dict[str, Any]) -> None:
    """Whatever is in an event, it is evaluated to the same result each time, and left as it was."""
    event = {"type": kind, "source": "pos-system", "payload": payload}
    before = copy.deepcopy(event)
    first, second = evaluated(GRAPHS[name], event), evaluated(GRAPHS[name], event)
    assert repr(event) == repr(before)
    assert repr(planned(first)) == repr(planned(second))
