"""The language of expressions: its grammar, its values, its errors."""

from __future__ import annotations

from typing import Any

import pytest
from expressions.evaluating import COMPILER, scope, value

from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Purpose
from wfx.expressions.parser import parse
from wfx.expressions.tree import Logic


@pytest.mark.parametrize(("text", "expected"), [
    ('payload.amount > 1000 AND payload.category == "food"', True),
    ("payload.amount > 1500", False),
    ("payload.amount >= 1500 AND payload.amount <= 1500", True),
    ("payload.amount < 1500 OR payload.amount != 1500", False),
    ('payload.tags contains "lab"', True),
    ('payload.category contains "oo"', True),
    ('payload.category matches "^f.*d$"', True),
    ('payload.category matches ".*@corp\\\\.com"', False),
    ('payload.category matches "oo"', True),
    ('payload.category in ["drink", "food"]', True),
    ('"night" in payload.tags', True),
    ('NOT payload.category == "food"', False),
    ("true OR true AND false", True),
    ("(true OR true) AND false", False),
    ("NOT false AND false", False),
    ("NOT NOT true", True),
    ('event.type == "transaction" AND event.source == "pos-system" AND event.actor_id == "user_42"', True),
    ('payload.tags.1 == "night"', True),
    ("payload.tags.2 == null", True),
    ("payload.nothing.below == null", True),
    ("payload.nothing > 1 OR payload.nothing < 1", False),
    ('payload.nothing contains "a" OR payload.nothing matches "a" OR payload.nothing in ["a"]', False),
    ("payload.nothing OR payload.nothing == null", True),
    ("[1, [2.0]] == [1.0, [2]]", True),
    ('"\\u00e4\\n" == "ä\\n"', True),
    ("meta == json:object()", True),
])  # fmt: skip
def test_conditions(text: str, expected: bool) -> None:
    """Comparisons, membership, patterns and logic have the values that the guide tells."""
    assert value(text, purpose=Purpose.CONDITION) is expected


@pytest.mark.parametrize(("one", "other"), [
    ("true", "1"), ("false", "0"), ('"1"', "1"), ("null", "false"), ('""', "null"), ("[true]", "[1]"), ("[]", "null"),
])  # fmt: skip
def test_values_of_different_kinds_differ(one: str, other: str) -> None:
    """True is not 1, and an empty text is not nothing."""
    assert value(f"{one} == {other}") is False
    assert value(f"{one} != {other}") is True
    assert value(f"[{one}] contains {other}") is False
    assert value(f"{one} in [{other}]") is False


@pytest.mark.parametrize(("text", "expected"), [
    ("payload.amount * 0.05", 75),
    ("1 + 2 * 3 - 4 / 2", 5),
    ("(1 + 2) * 3", 9),
    ("10 - 2 - 3", 5),
    ("-payload.amount + 1", -1499),
    ("- -1", 1),
    ("2 / 3", 0.67),
    ("0.1 + 0.2", 0.3),
    ("payload.amount", 1500),
])  # fmt: skip
def test_formulas(text: str, expected: float) -> None:
    """A formula calculates from left to right, * and / first; its result has two decimal places, and none if whole."""
    found = value(text, purpose=Purpose.FORMULA)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("text", "offset", "message"), [
    ("", 0, "the expression is empty"),
    ('payload.a == "x', 13, "a double quote is missing"),
    ("payload.a ==", 12, "a value is missing before the end"),
    ("AND payload.a", 0, "a value is missing before AND"),
    ("payload.a = 1", 10, "compare with =="),
    ("payload.a && payload.b", 10, "write AND"),
    ("payload.a and payload.b", 10, "did you mean AND?"),
    ("amount > 3", 0, "did you mean payload.amount?"),
    ("event.tpye == 1", 0, "did you mean event.type?"),
    ("(1", 2, ") is missing before the end"),
    ("1)", 1, ") closes nothing"),
    ("1 < 2 < 3", 6, "not chained"),
    ("payload.a == NOT true", 13, "NOT stands in parentheses"),
    ("12abc", 0, "a number is written with digits"),
    ("payload.a == 'x'", 13, "double quotes"),
    (r'payload.a matches "\."', 19, r"may be \\."),
    ('payload.a matches "("', 18, "the pattern cannot be used: missing )"),
    ("payload.a matches payload.b", 18, "needs a pattern in double quotes"),
    ('"\\ud800" == 1', 0, "half a character"),
    ("flw.string.uper(1)", 0, "did you mean flw.string.upper?"),
    ("flw.string.upper == 1", 0, "write flw.string.upper(…)"),
    ("payload.a + true > 1", 12, "a number is needed here, and this is true or false"),
    ("payload.a AND 1", 14, "true or false is needed here, and this is a number"),
    ('payload.a > "1"', 12, "a number is needed here, and this is a text"),
    ("payload.a in 1", 13, "a list is needed here"),
    ("flw.string.upper(1) == 1", 17, "a text is needed here"),
    ("vars:get() == 1", 0, "takes 1 value, not 0"),
    ("flw.time.now(1) == 1", 0, "takes no values, not 1"),
    ('flw.setOutput("a", 1) == 1', 0, "as the whole expression of an action set_output only"),
    ('seq:next("a") == "1"', 0, "in the parameters of actions only"),
    ("payload.a * 2", 0, "true or false is needed here, and this is a number"),
    ("1" * 31 + " == 1", 0, "at most 30 digits"),
    ("x" * 4097, 4096, "at most 4096 characters"),
    ("(" * 64 + "1", 64, "nested too deeply"),
    ("NOT " * 64 + "true", 256, "nested too deeply"),
    ("payload.a ? 1", 10, "'?' is not part of expressions"),
])  # fmt: skip
def test_mistakes_have_places(text: str, offset: int, message: str) -> None:
    """A mistake is refused when the rules are loaded, with its place and what to write instead."""
    with pytest.raises(ExpressionError) as caught:
        COMPILER.compile(text, Purpose.CONDITION)
    assert message in str(caught.value)
    assert caught.value.offset == offset


@pytest.mark.parametrize(("text", "offset", "message"), [
    ("payload.category > 1", 17, "> compares numbers, and this is a text"),
    ('payload.amount contains "a"', 15, "contains looks for a text in a text"),
    ('payload.amount matches "a"', 15, "matches looks at texts, and this is a number"),
    ("1 in payload.amount", 2, "in looks at lists"),
    ("payload.amount / (payload.amount - 1500) > 1", 15, "division by zero"),
    ("payload.nothing * 2 > 1", 0, "a value is missing"),
    ("payload.category * 2 > 1", 0, "this is a text"),
    ("payload.huge * 2 > 1", 0, "too large"),
    ("payload.large * payload.large > 1", 0, "too large"),
    ("payload.amount OR true", 0, "a condition is true or false, and this is a number"),
    ("payload.amount", 0, "a condition is true or false, and this is a number"),
    ("flw.string.upper(payload.amount) == 1", 0, "takes a text as text, not a number"),
    ("payload.deep == payload.deep_too", 13, "more than 64 levels"),
])  # fmt: skip
def test_values_that_do_not_fit(text: str, offset: int, message: str) -> None:
    """An operand of the wrong kind ends the evaluation with a message that says what it was, and where."""
    payload: dict[str, Any] = {"amount": 1500, "category": "food", "huge": 10**400, "large": 1e300}
    for name in ("deep", "deep_too"):
        payload[name] = nested(100)
    with pytest.raises(EvaluationError) as caught:
        value(text, payload, Purpose.CONDITION)
    assert message in str(caught.value)
    assert caught.value.offset == offset


def nested(levels: int) -> Any:
    """Make lists inside lists."""
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


def test_long_chains_are_flat() -> None:
    """A chain of AND as long as an expression may be is one node, so that nothing recurses along it."""
    text = " AND ".join(["true"] * 450)
    tree = parse(text)
    assert isinstance(tree, Logic)
    assert len(tree.operands) == 450
    assert value(text) is True


def test_logic_stops_early() -> None:
    """What cannot change the result is not looked at: an error there does not matter."""
    assert value("false AND 1 / 0 > 1") is False
    assert value("true OR 1 / 0 > 1") is True


def test_patterns_take_linear_time() -> None:
    """A pattern that others backtrack in without end answers for a long text, and for half a character in it."""
    long = {"text": "a" * 100_000 + "!", "half": "\ud800b"}
    assert value('payload.text matches "^(a+)+$"', long) is False
    assert value('payload.half matches "b$"', long) is True


def test_a_tree_cannot_be_changed() -> None:
    """The parsed expression is frozen, so that threads may share it."""
    tree = COMPILER.compile("payload.a == 1", Purpose.CONDITION).tree
    with pytest.raises(AttributeError):
        tree.offset = 3  # type: ignore[misc]


def test_nothing_is_left_behind() -> None:
    """An evaluation leaves the event as it was."""
    place = scope({"a": {"b": [1]}})
    COMPILER.compile('payload.a.b contains 1 AND vars:exists("a")', Purpose.CONDITION).evaluate(place)
    assert (place.payload, place.outputs, place.drawn) == ({"a": {"b": [1]}}, {}, {})
