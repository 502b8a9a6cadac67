"""Texts with ``${expression}`` in them."""

from __future__ import annotations

import re
from collections.abc import Callable

from wfx.expressions.closures import Closure
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Expression
from wfx.expressions.scope import Scope
from wfx.expressions.tokens import LONGEST
from wfx.expressions.values import LONGEST_TEXT, Value, shown

_PART = re.compile(r'(?P<escaped>\$\$\{)|\$\{(?P<expression>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\}|(?P<open>\$\{)', re.DOTALL)


def is_template(text: str) -> bool:
    """Tell whether a text has an expression in it, or an escape for one."""
    return "${" in text


def compile_template(text: str, compiled: Callable[[str], Expression]) -> Closure:
    """Return what puts values in a text; a text that is one expression gives its value. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"a text with ${{…}} has at most {LONGEST} characters", LONGEST)
    parts: list[str | tuple[int, Expression]] = []
    place = 0
    for match in _PART.finditer(text):
        parts.append(text[place : match.start()])
        place = match.end()
        if match["open"]:
            raise ExpressionError("this ${ has no } behind it; write $${ for a text with ${ in it", match.start())
        parts.append("${" if match["escaped"] else _compiled(match, compiled))
    kept = [part for part in (*parts, text[place:]) if part]
    if len(kept) == 1 and not isinstance(kept[0], str):
        return _moved(*kept[0])
    return _joined([part if isinstance(part, str) else _moved(*part) for part in kept])


def _compiled(match: re.Match[str], compiled: Callable[[str], Expression]) -> tuple[int, Expression]:
    offset = match.start("expression")
    try:
        return offset, compiled(match["expression"])
    except ExpressionError as exc:
        raise ExpressionError(str(exc), exc.offset + offset) from exc


def _moved(offset: int, expression: Expression) -> Closure:
    """Return what evaluates an expression inside of a text, and tells of errors at their place in the text."""

    def evaluate(scope: Scope) -> Value:
        try:
            return expression.evaluate(scope)
        except EvaluationError as exc:
            raise EvaluationError(str(exc), exc.offset + offset) from exc

    return evaluate


def _joined(parts: list[str | Closure]) -> Closure:
    def evaluate(scope: Scope) -> str:
        try:
            text = "".join(part if isinstance(part, str) else shown(part(scope)) for part in parts)
        except EvaluationError:
            raise
        except ValueError as exc:
            raise EvaluationError(str(exc)) from exc
        if len(text) > LONGEST_TEXT:
            raise EvaluationError(f"the text would have more than {LONGEST_TEXT:,} characters")
        return text

    return evaluate
