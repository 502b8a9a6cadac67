"""Random expressions on random events: they never crash, and take no more steps than they have nodes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from expressions.evaluating import COMPILER, scope
from hypothesis import given
from hypothesis import strategies as st

from wfx.expressions import calls, closures, expression
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Expression, Purpose
from wfx.expressions.functions import CallSite
from wfx.expressions.library import OWN
from wfx.expressions.text_template import compile_template
from wfx.expressions.tree import walk

NAMES = ("a", "b", "c")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner)
)
PAYLOADS = st.dictionaries(st.sampled_from(NAMES), VALUES)
LEAVES = st.sampled_from([
    "payload.a", "payload.b", "payload.c", "payload.a.b", "payload.a.0", "meta.x", "event.type", "true", "false",
    "null", "0", "1", "2.5", '"a"', '"x y"', "[]", "payload",
])  # fmt: skip
OPERATORS = st.sampled_from(
    ["==", "!=", ">", ">=", "<", "<=", "contains", "in", "AND", "OR", "+", "-", "*", "/", 'matches "a" OR']
)
CALLABLE = [one for one in OWN if one.call_site is not CallSite.OUTPUT]


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Make expressions of smaller ones."""
    joined = st.builds("({} {} {})".format, inner, OPERATORS, inner)
    called = st.sampled_from(CALLABLE).flatmap(
        lambda one: st.tuples(*([inner] * len(one.parameters))).map(lambda given: f"{one.name}({', '.join(given)})")
    )
    listed = st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    return joined | called | listed | inner.map("NOT ({})".format) | inner.map("-({})".format)


TEXTS = st.recursive(LEAVES, larger, max_leaves=20)
PIECES = st.lists(
    LEAVES | OPERATORS | st.sampled_from(["(", ")", "[", "]", ",", "NOT", "-", '"', "\\", "vars:get(", "${", "}"])
)


def closures_called(compiled: Expression, payload: dict[str, Any]) -> int:
    """Evaluate, and count the closures that are called: each node has one, and so has the whole."""
    files = {module.__file__ for module in (closures, calls, expression)}
    count = 0

    def look(frame: FrameType, what: str, _: object) -> None:
        nonlocal count
        code = frame.f_code
        if (
            what == "call"
            and code.co_filename in files
            and code.co_argcount == 1
            and code.co_varnames[0] in ("scope", "_")
        ):
            count += 1

    sys.setprofile(look)
    try:
        compiled.evaluate(scope(payload))
    except EvaluationError:
        pass
    finally:
        sys.setprofile(None)
    return count


@given(TEXTS, PAYLOADS, st.sampled_from([Purpose.CONDITION, Purpose.FORMULA, Purpose.VALUE]))
def test_evaluation_ends_within_its_nodes(text: str, payload: dict[str, Any], purpose: Purpose) -> None:
    """Whatever is compiled has a value or an error that says why, and no node is evaluated twice."""
    try:
        compiled = COMPILER.compile(text, purpose)
    except ExpressionError:
        return
    # A sign is a subtraction from nothing, which is a closure of its own; so is the whole.
    assert closures_called(compiled, payload) <= 2 * sum(1 for _ in walk(compiled.tree)) + 1


def place_of_mistake(make: Callable[[], object]) -> int:
    """Return where something is refused, 0 if it is not."""
    try:
        make()
    except ExpressionError as exc:
        return exc.offset
    return 0


@given(st.text(max_size=60) | PIECES.map(" ".join))
def test_any_text_is_refused_or_compiled(text: str) -> None:
    """Any text is an expression, or is refused with a place inside of it; also as a part of a text."""
    for make in (
        lambda: COMPILER.compile(text, Purpose.VALUE),
        lambda: compile_template(text, lambda one: COMPILER.compile(one, Purpose.VALUE)),
    ):
        assert 0 <= place_of_mistake(make) <= len(text)


@given(VALUES, VALUES)
def test_equality_is_symmetric(one: Any, other: Any) -> None:
    """Two values are equal from both sides or from none, and never of different kinds."""
    compiled = COMPILER.compile("payload.a == payload.b", Purpose.CONDITION)
    found = compiled.evaluate(scope({"a": one, "b": other}))
    assert found is compiled.evaluate(scope({"a": other, "b": one}))
    if found and not isinstance(one, int | float | list | dict):
        assert type(one) is type(other)
