"""Calls of functions: what is given is checked, and what comes back is bounded."""

from __future__ import annotations

from collections.abc import Callable

from wfx.expressions.errors import EvaluationError
from wfx.expressions.functions import Function
from wfx.expressions.scope import Scope
from wfx.expressions.values import LONGEST_TEXT, Value, ValueKind, fits, kind_of

_DEEPEST_RESULT = 16
_MOST_RESULTS = 10_000
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
"""Whole numbers that can be written."""


def call(function: Function, offset: int, arguments: tuple[Callable[[Scope], Value], ...]) -> Callable[[Scope], Value]:
    """Return what calls a function; it raises EvaluationError."""
    kinds = [(parameter.kind, parameter.name) for parameter in function.parameters]
    target = function.call

    def evaluate(scope: Scope) -> Value:
        values = [argument(scope) for argument in arguments]
        for (kind, name), value in zip(kinds, values, strict=False):
            if not fits(kind, value):
                what = f"{kind.value} as {name}, not {kind_of(value).value}"
                raise EvaluationError(f"{function.name} takes {what}", offset)
        try:
            result = target(scope, *values) if function.takes_scope else target(*values)
            _check(result, is_own=function.is_own)
        except ValueError as exc:
            raise EvaluationError(f"{function.name}: {exc}", offset) from exc
        except (Exception, SystemExit) as exc:
            if function.is_own:
                raise
            raise EvaluationError(f"{function.name} failed with {type(exc).__name__}: {exc}"[:500], offset) from exc
        return result

    return evaluate


def _check(result: Value, *, is_own: bool) -> None:
    """Raise ValueError for a result that is too long, or no value."""
    if type(result) is str and len(result) > LONGEST_TEXT:
        raise ValueError(f"the text would have more than {LONGEST_TEXT:,} characters")
    if not is_own:
        waiting = [(result, 0)]
        for number, (value, depth) in enumerate(waiting, 1):
            if number > _MOST_RESULTS or depth > _DEEPEST_RESULT:
                raise ValueError("the value is too large")
            kind = kind_of(value)
            if kind is ValueKind.LIST:
                waiting += [(item, depth + 1) for item in value]
            elif kind is ValueKind.OBJECT:
                waiting += [(item, depth + 1) for pair in value.items() for item in pair]
            elif kind is ValueKind.TEXT:
                _check_text(value)
            elif type(value) is int and not _SMALLEST <= value <= _LARGEST:
                raise ValueError("a number in the value is too large")


def _check_text(text: str) -> None:
    """Raise ValueError for a text that is too long, or that no encoding has."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a text in the value has more than {LONGEST_TEXT:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text in the value has half of a surrogate pair, which is no character") from None
