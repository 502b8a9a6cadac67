"""Whether an event reaches an action, by conditions that several scenarios share."""

from __future__ import annotations

import pytest
from rules.rulebook import NOON, condition, file_with, loaded, tag

from wfx.expressions.errors import EvaluationError
from wfx.expressions.scope import KnownFacts, NotRead, Scope
from wfx.rules.reach import branch_of, reaches

SHARED = file_with(
    condition("c1", "payload.a == 1", condition("c2", "payload.b == 1", tag("t1"))),
    condition("c3", "payload.a == 1", condition("c4", "payload.b == 2", tag("t2"))),
    condition("c5", "payload.a == 2", condition("c6", "payload.a == 1", tag("t3"))),
)


def is_reached(file: str, unread: frozenset[str] = frozenset(), source: str = "wfx", **payload: int) -> bool:
    """Tell whether an event of type t reaches an action of the rules."""
    branch = branch_of(loaded(file).by_type["t"], source)
    return reaches(branch, Scope(dict(payload), {}, {}, NOON, KnownFacts(), unread=unread))


@pytest.mark.parametrize(("a", "b", "reached"), [
    (1, 1, True), (1, 2, True), (1, 3, False), (2, 1, False), (3, 1, False),
])  # fmt: skip
def test_conditions_that_stand_at_several_places(a: int, b: int, reached: bool) -> None:
    """What is below the same condition at different places of a file counts at each of them."""
    assert is_reached(SHARED, a=a, b=b) is reached


def test_a_shared_condition_is_looked_at_once() -> None:
    """Of a thousand scenarios that begin with the same condition it is looked at once."""
    many = file_with(*(condition(f"c{n}", "payload.a == 1", tag(f"t{n}")) for n in range(1000)))
    assert len(branch_of(loaded(many).by_type["t"], "wfx").ways) == 1


@pytest.mark.parametrize(("source", "reached"), [("wfx", True), ("elsewhere", False)])
def test_scenarios_for_other_sources(source: str, reached: bool) -> None:
    """Scenarios for other sources than that of the event do not count."""
    file = file_with(tag("t")).replace("event_types: [t]", f"event_types: [t]\n    sources: [{source}]")
    assert is_reached(file) is reached


@pytest.mark.parametrize("expression", [
    "payload.a == 1", "payload.a.b == 1", "payload == 1", 'vars:get("a") == 1', 'vars:exists("payload.a")',
    'vars:isEmpty("payload")', "payload.b == 1 AND payload.a == 1", "payload.b == 2 OR payload.a == 2",
])  # fmt: skip
def test_what_was_not_read_is_not_taken_for_missing(expression: str) -> None:
    """A condition that asks for a member that was not read has no value, by whatever way it asks."""
    with pytest.raises(NotRead):
        is_reached(file_with(condition("c", expression, tag("t"))), frozenset({"a"}), b=1)


def test_what_nobody_asks_for_need_not_be_read() -> None:
    """Behind an operand that decides, what was not read is not asked for."""
    for expression in ("payload.b == 2 AND payload.a == 1", "NOT (payload.b == 1 OR payload.a == 1)"):
        assert not is_reached(file_with(condition("c", expression, tag("t"))), frozenset({"a"}), b=1)


def test_a_condition_that_fails() -> None:
    """A condition that has no value for the event is an error, and does not pass for one that does not hold."""
    with pytest.raises(EvaluationError):
        is_reached(file_with(condition("c", "payload.a > payload.b", tag("t"))), a=1, b=True)
