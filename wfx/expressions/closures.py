"""Makes closures of trees: each node becomes a function of the scope, which is called at most once an evaluation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial

import re2

from wfx.expressions.calls import call
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.functions import Functions
from wfx.expressions.scope import NotRead, Scope, member
from wfx.expressions.tree import Arithmetic, Call, Comparison, Field, ListOf, Literal, Logic, Negative, Node, Not
from wfx.expressions.values import NUMBERS, Value, ValueKind, as_float, contains, equal, finite, kind_of
from wfx.logs.expressions import compiled

Closure = Callable[[Scope], Value]
_PATTERN_MEMORY = 1024 * 1024
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_STEPS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def closure(node: Node, functions: Functions) -> Closure:  # noqa: PLR0911 - one for each kind of node
    """Return what evaluates a checked tree; it raises EvaluationError. Raises ExpressionError for a wrong pattern."""
    make = partial(closure, functions=functions)
    match node:
        case Literal(value=value):
            return lambda _: value
        case Field(path=path):
            return _field(path)
        case ListOf(items=items):
            made = tuple(map(make, items))
            return lambda scope: [item(scope) for item in made]
        case Call(offset=offset, function=name, arguments=arguments):
            return call(functions.by_name[name], offset, tuple(map(make, arguments)))
        case Logic(operator=word, operands=operands):
            return _logic(word == "OR", [(make(operand), operand.offset) for operand in operands])
        case Not(operand=operand):
            return _not(make(operand), operand.offset)
        case Comparison():
            return _comparison(node, make)
        case Arithmetic(first=first, rest=rest):
            return _arithmetic(make(first), first.offset, [(sign, at, make(operand)) for sign, at, operand in rest])
        case Negative(offset=offset, operand=operand):
            return _arithmetic(lambda _: 0, offset, [("-", offset, make(operand))])


def truth(value: Value, offset: int) -> bool:
    """Return a condition's value: nothing counts as false. Raises EvaluationError for other kinds."""
    if value is True or value is False:
        return value
    if value is None:
        return False
    raise EvaluationError(f"a condition is true or false, and this is {kind_of(value).value}", offset)


def pattern(node: Node, memory: int = _PATTERN_MEMORY) -> re2._Regexp:
    """Return the pattern that ``matches`` looks for. Raises ExpressionError."""
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise ExpressionError('matches needs a pattern in double quotes, such as "^press-"', node.offset)
    try:
        return compiled(node.value, memory, capturing=False)
    except re2.error as exc:
        reason = exc.args[0].decode("utf-8", "replace") if exc.args and isinstance(exc.args[0], bytes) else exc
        raise ExpressionError(f"the pattern cannot be used: {reason} (syntax of RE2)", node.offset) from exc


def _field(path: tuple[str, ...]) -> Closure:
    match path:
        case ("payload", name):
            return _payload_member(name)
        case ("payload", *rest):
            return lambda scope: scope.in_payload(rest)[1]
        case ("meta", name):
            return lambda scope: scope.meta.get(name)
        case ("event", name):
            return lambda scope: scope.event.get(name)
    space, below = operator.attrgetter(path[0]), path[1:]
    return lambda scope: member(space(scope), below)[1]


def _payload_member(name: str) -> Closure:
    def evaluate(scope: Scope) -> Value:
        value = scope.payload.get(name)
        if value is None and name in scope.unread:
            raise NotRead(name)
        return value

    return evaluate


def _logic(stops_at: bool, operands: list[tuple[Closure, int]]) -> Closure:
    def evaluate(scope: Scope) -> bool:
        for operand, offset in operands:
            value = operand(scope)
            if value is not True and value is not False:
                value = truth(value, offset)
            if value is stops_at:
                return stops_at
        return not stops_at

    return evaluate


def _not(operand: Closure, offset: int) -> Closure:
    return lambda scope: not truth(operand(scope), offset)


def _comparison(node: Comparison, make: Callable[[Node], Closure]) -> Closure:
    left = make(node.left)
    if node.operator == "matches":
        return _matches(left, pattern(node.right), node.offset)
    right = make(node.right)
    match node.operator:
        case "==" | "!=":
            return _equality(left, right, node, differs=node.operator == "!=")
        case "contains":
            return lambda scope: _contains(left(scope), right(scope), node.offset)
        case "in":
            return lambda scope: _is_in(left(scope), right(scope), node.offset)
    return _order(node.operator, left, right, node.offset)


def _equality(left: Closure, right: Closure, node: Comparison, *, differs: bool) -> Closure:
    if isinstance(node.right, Literal) and isinstance(text := node.right.value, str):
        if differs:
            return lambda scope: bool(left(scope) != text)
        return lambda scope: bool(left(scope) == text)

    def evaluate(scope: Scope) -> bool:
        try:
            return equal(left(scope), right(scope)) is not differs
        except EvaluationError:
            raise
        except ValueError as exc:
            raise EvaluationError(str(exc), node.offset) from exc

    return evaluate


def _order(sign: str, left: Closure, right: Closure, offset: int) -> Closure:
    holds = _ORDERS[sign]

    def evaluate(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if type(one) in NUMBERS and type(other) in NUMBERS:
            return holds(one, other)
        if one is None or other is None:
            return False
        wrong = other if type(one) in NUMBERS else one
        raise EvaluationError(f"{sign} compares numbers, and this is {kind_of(wrong).value}", offset)

    return evaluate


def _matches(left: Closure, expression: re2._Regexp, offset: int) -> Closure:
    def evaluate(scope: Scope) -> bool:
        text = left(scope)
        if text is None:
            return False
        if type(text) is not str:
            raise EvaluationError(f"matches looks at texts, and this is {kind_of(text).value}", offset)
        return expression.search(text.encode("utf-8", "replace")) is not None

    return evaluate


def _contains(whole: Value, part: Value, offset: int) -> bool:
    if whole is None:
        return False
    try:
        if type(whole) is list:
            return contains(whole, part)
        if type(whole) is str and type(part) is str:
            return part in whole
    except ValueError as exc:
        raise EvaluationError(str(exc), offset) from exc
    said = f"{kind_of(part).value} in {kind_of(whole).value}"
    raise EvaluationError(f"contains looks for a text in a text, or for a value in a list, not for {said}", offset)


def _is_in(value: Value, items: Value, offset: int) -> bool:
    if items is None:
        return False
    if type(items) is not list:
        raise EvaluationError(f"in looks at lists, and this is {kind_of(items).value}", offset)
    return _contains(items, value, offset)


def _arithmetic(first: Closure, at: int, rest: list[tuple[str, int, Closure]]) -> Closure:
    steps = [(_STEPS[sign], offset, operand) for sign, offset, operand in rest]

    def evaluate(scope: Scope) -> int | float:
        total = _number(first(scope), at)
        for step, offset, operand in steps:
            try:
                total = step(total, _number(operand(scope), offset))
            except ZeroDivisionError:
                raise EvaluationError("division by zero", offset) from None
        try:
            return finite(total)
        except ValueError as exc:
            raise EvaluationError(str(exc), at) from exc

    return evaluate


def _number(value: Value, offset: int) -> float:
    if type(value) is float:
        return value
    if type(value) is not int:
        kind = kind_of(value)
        what = "a value is missing" if kind is ValueKind.NULL else f"this is {kind.value}"
        raise EvaluationError(f"a formula calculates with numbers, and {what}", offset)
    try:
        return as_float(value)
    except ValueError as exc:
        raise EvaluationError(str(exc), offset) from exc
