"""Texts with expressions in them."""

from __future__ import annotations

from typing import Any

import pytest
from expressions.evaluating import COMPILER, scope

from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Purpose
from wfx.expressions.text_template import compile_template


def filled(text: str, payload: Any = None) -> Any:
    """Compile a text and fill it in."""
    return compile_template(text, lambda one: COMPILER.compile(one, Purpose.VALUE))(scope(payload))


@pytest.mark.parametrize(("text", "expected"), [
    ("${payload.amount}", 1500),
    ("${payload.tags}", ["lab", "night"]),
    ("job-${payload.category}-${payload.amount / 20}", "job-food-75"),
    ("${payload.nothing}", None),
    ("<${payload.nothing}>", "<>"),
    ("${true} ${2.5}", "true 2.5"),
    ('${vars:getOrDefault("x", "}")}!', "}!"),
    ("$${payload.amount} is $5", "${payload.amount} is $5"),
])  # fmt: skip
def test_texts_are_filled_in(text: str, expected: object) -> None:
    """A text that is one expression gives its value as it is; else values become parts of the text."""
    assert filled(text) == expected


@pytest.mark.parametrize(("text", "offset", "message"), [
    ("a ${payload.x", 2, "has no } behind it"),
    ("a ${payload.x +} b", 15, "a value is missing"),
    ("${}", 2, "the expression is empty"),
    ("${1}" + "x" * 4093, 4096, "at most 4096 characters"),
])  # fmt: skip
def test_mistakes(text: str, offset: int, message: str) -> None:
    """A mistake has its place in the whole text."""
    with pytest.raises(ExpressionError) as caught:
        filled(text)
    assert message in str(caught.value)
    assert caught.value.offset == offset


def test_values_that_are_no_parts_of_texts() -> None:
    """A list is no part of a text, and a text does not grow without bound."""
    with pytest.raises(EvaluationError, match=r"a list cannot be a part of a text: see flw\.io\.toJson"):
        filled("tags: ${payload.tags}")
    with pytest.raises(EvaluationError, match="more than 65,536 characters"):
        filled("${payload.a}${payload.a}", {"a": "x" * 40_000})
