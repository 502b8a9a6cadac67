"""Effects of evaluations: whatever the parameters are, each action has one result, and what is to be done is sound."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.rulebook import NOON, loaded

from wfx.domain.cause import Cause, decode_cause
from wfx.domain.errors import JobNotFound, TransitionRefused
from wfx.domain.job import Action, Event
from wfx.domain.json import decode, encode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Group, State, Workflow
from wfx.expressions.scope import KnownFacts
from wfx.limits.policy import Kind
from wfx.reactions.effects import (
    ALL,
    DEEPEST,
    MOST,
    MOST_IN_CHAIN,
    UNCOUNTED,
    Effects,
    Lineage,
    Outcome,
    caused_by,
    effects_of,
)
from wfx.reactions.event_of_log import event_of_log, type_of
from wfx.rules.evaluation import evaluate
from wfx.rules.event import Event as RuleEvent
from wfx.store.operations import ChangeJob, CreateJob
from wfx.store.rule_records import NOTHING

EVERYTHING = loaded("""
version: v1
scenarios:
  - id: s
    event_types: [t]
    children:
      - action:
          id: create
          type: create_job
          params:
            {client_id: "${payload.a}", workflow: "${payload.b}", definition: "${payload.c}", tags: "${payload.d}"}
      - action: {id: add, type: add_tags, params: {tags: "${payload.d}", job_id: "${payload.a}"}}
      - action: {id: remove, type: delete_tags, params: {tags: "${payload.d}"}}
      - action: {id: move, type: update_status, params: {state: "${payload.a}", message: "${payload.b}"}}
      - action: {id: define, type: update_definition, params: {definition: "${payload.c}"}}
      - action:
          id: points
          type: reward_points
          params: {operation: deduct, points: "${payload.e}", actor_id: "${payload.a}", reason: "${payload.b}"}
      - action: {id: hook, type: webhook_notify, params: {url: "https://example.com", body: "${payload.c}"}}
      - action: {id: mail, type: mail, params: {to: "${payload.d}", subject: "${payload.a}", text: "${payload.b}"}}
      - action: {id: number, type: add_tags, params: {tags: ["${seq:next(vars:getOrDefault(\\"a\\", \\"n\\"))}"]}}
""")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
TEXTS = st.text(max_size=5) | st.sampled_from(["a\0", "\ud800", "x" * 3000])
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "a": TEXTS | VALUES,
        "b": TEXTS | VALUES,
        "c": st.dictionaries(st.text(max_size=3), VALUES, max_size=3) | VALUES,
        "d": st.lists(TEXTS, max_size=3) | VALUES,
        "e": st.floats() | st.integers() | VALUES,
        "job_id": TEXTS | VALUES,
    },
)
CAUSE = Cause("r", "south", "", 7, 3)
FLOW = Workflow("w", (State("A"), State("B")), groups=(Group("FAILED", ("B",)),))


def effects(payload: dict[str, Any], cause: Cause = CAUSE, lineage: Lineage = UNCOUNTED) -> Effects:
    """Return the effects of all actions."""
    facts = KnownFacts(sequences={"n": 4})
    evaluation = evaluate(EVERYTHING, RuleEvent("t", payload=payload), facts, NOON)
    return effects_of(evaluation, key="log/1", cause=cause, now=Timestamp(5), facts=facts, lineage=lineage)


@given(PAYLOADS)
def test_any_parameters(payload: dict[str, Any]) -> None:
    """Whatever an event has, each action has a result, those that succeed are all there is to do, and can be stored."""
    made = effects(payload)
    results = made.answers([None] * len(made.operations))
    assert [result.action_id for result in results] == [
        "create", "add", "remove", "move", "define", "points", "hook", "mail", "number",
    ]  # fmt: skip
    assert all(result.message for result in results)
    done = sum(result.success for result in results)
    assert done == len(made.operations) + len(made.records.tasks) + len(made.records.scores)
    assert made.records.fault is None
    for task in made.records.tasks:
        assert decode(task.input)["rule"] == "s"
        assert (task.due, decode_cause(task.cause)) == (5, CAUSE._replace(actor="rule:s"))
    for operation in made.operations:
        assert isinstance(operation, CreateJob | ChangeJob)
        assert decode_cause(operation.cause) == CAUSE._replace(actor="rule:s")
    kinds = Counter(promise.token.kind for _, promise in made.promises)
    assert kinds[Kind.INSTANCE_START] == sum(isinstance(operation, CreateJob) for operation in made.operations)
    assert kinds[Kind.JOB_SCHEDULE] == len(made.records.tasks)
    assert made.is_empty is (not made.operations and made.records == NOTHING)


def test_what_the_store_says_is_told() -> None:
    """A refused operation is a failed action whose message says why, by what kind of error it is."""
    made = effects({"a": "j", "b": "w", "c": {}, "d": ["x@example.com"], "e": 2.5, "job_id": "j"})
    answers: list[Any] = [None, JobNotFound(), TransitionRefused("no such way"), KeyError("odd"), None, None]
    results = {result.action_id: result for result in made.answers(answers)}
    assert [(one.success, one.outcome) for one in results.values()] == [
        (True, Outcome.DONE),
        (False, Outcome.NOT_FOUND),
        (False, Outcome.REFUSED),
        (False, Outcome.FAILED),
        (True, Outcome.DONE),
        (True, Outcome.DONE),
        (True, Outcome.QUEUED),
        (True, Outcome.QUEUED),
        (True, Outcome.DONE),
    ]
    assert results["remove"].message == "no such way"
    assert results["hook"].message == "queued as task log/1/hook"
    assert [(entry.key, entry.points) for entry in made.records.scores] == [("log/1/points", -2.5)]
    assert made.records.sequences == {"j": (0, 1)}


def test_a_sequence_goes_on_from_what_it_was() -> None:
    """The records say what a sequence was when the numbers were drawn, and what it becomes."""
    assert effects({}).records.sequences == {"n": (4, 5)}
    assert {result.outcome for result in effects({"a": "\0"}).answers([])} == {Outcome.INVALID}


def test_the_limits_of_a_chain() -> None:
    """An action that was taken often enough is refused, the others are counted; a chain that is too long has none."""
    payload = {"a": "j", "d": ["x"], "job_id": "j"}
    made = effects(payload, lineage=Lineage("7", {"add": 2, "remove": 1, ALL: 3}, 2))
    results = {result.action_id: result for result in made.answers([None] * 9)}
    assert results["add"].message == "it was taken 2 times in one chain of events, which is the limit"
    assert made.records.repetitions == {
        ("7", "remove"): 1, ("7", "hook"): 1, ("7", "number"): 1, ("7", "move"): 1, ("7", ALL): 4
    }  # fmt: skip
    late = effects(payload, Cause("r", "south", "", 7, DEEPEST + 1))
    assert not late.operations
    outcomes = {result.outcome for result in late.answers([])}
    assert outcomes == {Outcome.LIMITED, Outcome.INVALID}


def test_a_chain_has_not_too_many_actions() -> None:
    """Without a limit for each action all of a chain are counted together, and no more are taken than there may be."""
    payload = {"a": "j", "d": ["x"], "job_id": "j"}
    made = effects(payload, lineage=Lineage("7", {ALL: MOST_IN_CHAIN - 2}))
    outcomes = [result.outcome for result in made.answers([None] * 9)]
    assert outcomes.count(Outcome.LIMITED) == 3
    assert made.records.repetitions == {("7", ALL): 2}


def test_an_event_has_not_too_many_actions() -> None:
    """Of more actions than an event may have the first ones are taken."""
    actions = "\n".join(f"      - action: {{id: a{n}, type: set_output, params: {{expression: "
                        f"'flw.setOutput(\"x\", {n})'}}}}" for n in range(MOST + 2))  # fmt: skip
    graph = loaded(f"version: v1\nscenarios:\n  - id: s\n    event_types: [t]\n    children:\n{actions}\n")
    evaluation = evaluate(graph, RuleEvent("t"), KnownFacts(), NOON)
    made = effects_of(evaluation, key="k", cause=CAUSE, now=Timestamp(0), facts=KnownFacts())
    outcomes = [result.outcome for result in made.answers([])]
    assert outcomes == [Outcome.DONE] * MOST + [Outcome.LIMITED] * 2


def test_an_event_has_not_too_large_actions() -> None:
    """Actions are taken as long as their parameters together are not too large; smaller ones behind have room again."""
    lists = ", ".join(["payload.text"] * 20)
    many = "\n".join(
        f"  - action: {{id: a{n}, type: webhook_notify, params: {{url: 'https://x.example', body: '${{[{lists}]}}'}}}}"
        for n in range(10)
    )
    tag = "  - action: {id: tag, type: add_tags, params: {tags: [x], job_id: j}}"
    graph = loaded(f"version: v1\nscenarios:\n- id: s\n  event_types: [t]\n  children:\n{many}\n{tag}\n")
    evaluation = evaluate(graph, RuleEvent("t", payload={"text": "x" * 60_000}), KnownFacts(), NOON)
    made = effects_of(evaluation, key="k", cause=CAUSE, now=Timestamp(0), facts=KnownFacts())
    results = made.answers([None])
    assert [result.outcome for result in results] == [
        *([Outcome.QUEUED] * 3), *([Outcome.LIMITED] * 7), Outcome.DONE,
    ]  # fmt: skip
    limit = "the parameters of the actions for an event have at most 4,194,304 characters and values"
    assert results[3].message == limit
    assert sum(len(task.input) for task in made.records.tasks) < 4_194_304


@pytest.mark.parametrize(("cause", "expected"), [
    (None, Cause("", "", "", 9, 1)),
    (Cause("r", "south"), Cause("r", "south", "", 9, 1)),
    (Cause("r", "north", "rule:x", 4, 2), Cause("r", "north", "", 4, 3)),
])  # fmt: skip
def test_the_cause_of_effects(cause: Cause | None, expected: Cause) -> None:
    """Effects keep the request and the root of what they come of, and stand one event behind it."""
    event = Event(9, Timestamp(0), Action.DELETE, "j", "c", FLOW, encode({}), "A", cause and cause.encoded)
    assert caused_by(event) == expected


@pytest.mark.parametrize(("action", "payload", "before", "seen"), [
    (Action.CREATE, {"status": {"state": "A"}, "tags": ["b", "a"]}, None, (None, "A", "", ["b", "a"])),
    (Action.CREATE, {"status": {"state": "A"}}, None, (None, "A", "", [])),
    (Action.UPDATE_STATUS, {"status": {"state": "B"}}, "A", ("A", "B", "FAILED", ["now"])),
    (Action.ADD_TAGS, {"tags": ["x"]}, "B", ("B", "B", "FAILED", ["x"])),
    (Action.UPDATE_DEFINITION, {"status": {"state": ""}}, "B", ("B", "B", "FAILED", ["now"])),
    (Action.DELETE, {}, "B", ("B", None, "FAILED", ["now"])),
])  # fmt: skip
def test_an_event_of_the_log(action: Action, payload: dict[str, Any], before: str | None, seen: Any) -> None:
    """Rules see an event of the log by its type, with the states before and after, the group, and the tags."""
    event = Event(9, Timestamp(0), action, "j", "c", FLOW, encode(payload), before, Cause("r", "south").encoded)
    found = event_of_log(event, "log", ["now"])
    told = found.payload
    assert (told["from"], told["to"], told["group"], told["tags"]) == seen
    assert (told["job_id"], told["client"], told["workflow"], told["cause"]["side"]) == ("j", "c", "w", "south")
    assert found.members == {
        "id": "log-9", "type": f"job.{action.lower()}", "source": "wfx", "actor_id": "c",
    }  # fmt: skip


def test_events_of_workflows_have_no_type() -> None:
    """Events of workflows are none for rules."""
    assert type_of(Event(9, Timestamp(0), Action.CREATE, "", "", FLOW, encode({}))) == ""
