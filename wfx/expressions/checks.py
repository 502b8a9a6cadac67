"""Checks of a tree before it is used: functions that there are, operands of kinds that can work."""

from __future__ import annotations

from wfx.commandline.grammar import closest
from wfx.expressions.errors import ExpressionError
from wfx.expressions.functions import CallSite, Function, Functions
from wfx.expressions.parser import DEEPEST
from wfx.expressions.tree import (
    Arithmetic,
    Call,
    Comparison,
    Field,
    ListOf,
    Literal,
    Logic,
    Negative,
    Node,
    Not,
    children,
)
from wfx.expressions.values import ValueKind, kind_of

_ORDERS = (">", ">=", "<", "<=")


class Checker:
    """Checks trees for one call site, a kind of place in rules."""

    def __init__(self, functions: Functions, every: Functions, call_site: CallSite) -> None:
        """Take the functions that may be called, and all that there are."""
        self._functions = functions
        self._every = every
        self._call_site = call_site

    def check(self, node: Node, wanted: ValueKind, depth: int = 1) -> None:
        """Raise ExpressionError for what can have no value of the kind, whatever the event."""
        if depth > DEEPEST:
            raise ExpressionError(f"it is nested too deeply: at most {DEEPEST} levels", node.offset)
        kind = self._kind(node)
        if wanted is not kind and ValueKind.ANY not in (wanted, kind):
            raise ExpressionError(f"{wanted.value} is needed here, and this is {kind.value}", node.offset)
        if isinstance(node, Call):
            self._check_call(node, depth)
        elif isinstance(node, Comparison) and node.operator in ("==", "!="):
            self._check_equality(node)
        needed = self._needed(node)
        for number, child in enumerate(children(node)):
            self.check(child, needed[number] if number < len(needed) else ValueKind.ANY, depth + 1)

    def _kind(self, node: Node) -> ValueKind:
        match node:
            case Literal(value=value):
                return kind_of(value)
            case Field(kind=kind):
                return kind
            case ListOf():
                return ValueKind.LIST
            case Comparison() | Logic() | Not():
                return ValueKind.BOOLEAN
            case Arithmetic() | Negative():
                return ValueKind.NUMBER
            case Call(function=name):
                return self._function(node, name).gives

    def _needed(self, node: Node) -> list[ValueKind]:  # noqa: PLR0911 - one for each kind of operator
        """Return which kinds the operands of a node must have."""
        match node:
            case Logic() | Not():
                return [ValueKind.BOOLEAN] * len(children(node))
            case Arithmetic() | Negative():
                return [ValueKind.NUMBER] * len(children(node))
            case Comparison(operator=word) if word in _ORDERS:
                return [ValueKind.NUMBER, ValueKind.NUMBER]
            case Comparison(operator="matches"):
                return [ValueKind.TEXT, ValueKind.TEXT]
            case Comparison(operator="in"):
                return [ValueKind.ANY, ValueKind.LIST]
            case Comparison(operator="contains", left=left) if self._kind(left) is ValueKind.TEXT:
                return [ValueKind.TEXT, ValueKind.TEXT]
            case Call(function=name):
                return [parameter.kind for parameter in self._function(node, name).parameters]
        return []

    def _check_equality(self, node: Comparison) -> None:
        """Raise ExpressionError for a value of a known kind that is compared with one of another kind."""
        sides = (node.left, node.right)
        if any(isinstance(side, Field) and side.kind is not ValueKind.ANY for side in sides):
            left, right = map(self._kind, sides)
            if left is not right and not {left, right} & {ValueKind.ANY, ValueKind.NULL}:
                raise ExpressionError(f"{left.value} never equals {right.value}: a text is in quotes", node.offset)

    def _function(self, node: Node, name: str) -> Function:
        found = self._functions.by_name.get(name)
        if found is not None:
            return found
        if name in self._every.by_name:
            raise ExpressionError(f"the function {name} is not allowed in strict mode", node.offset)
        hint = closest(name, list(self._functions.by_name))
        raise ExpressionError(f"unknown function {name[:60]}{hint}", node.offset)

    def _check_call(self, node: Call, depth: int) -> None:
        function = self._function(node, node.function)
        allowed = (
            (CallSite.ANYWHERE, self._call_site)
            if depth == 1 or self._call_site is not CallSite.OUTPUT
            else (CallSite.ANYWHERE,)
        )
        if function.call_site is CallSite.PARAMETERS and self._call_site is CallSite.OUTPUT:
            allowed = (*allowed, CallSite.PARAMETERS)
        if function.call_site not in allowed:
            raise ExpressionError(f"{function.name} can be called {function.call_site.value}", node.offset)
        given, most = len(node.arguments), len(function.parameters)
        if given < most - function.optional or (given > most and not function.is_open):
            raise ExpressionError(f"{function.signature} takes {_count(function)}, not {given}", node.offset)


def _count(function: Function) -> str:
    most = len(function.parameters)
    least = most - function.optional
    if function.is_open:
        return f"at least {least} value{'s' * (least != 1)}"
    return f"{least} to {most} values" if least < most else f"{most or 'no'} value{'s' * (most != 1)}"
