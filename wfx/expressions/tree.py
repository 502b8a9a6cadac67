"""Syntax tree of an expression: frozen nodes, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wfx.expressions.values import ValueKind

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, true, false or null."""

    offset: int
    value: Scalar


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the scope, by its path: ``payload.amount``."""

    offset: int
    path: tuple[str, ...]
    kind: ValueKind = ValueKind.ANY
    """The kind that it has, unless it is missing."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of expressions: ``["a", payload.b]``."""

    offset: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function: ``vars:get("tier")``."""

    offset: int
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and one of ``== != > >= < <= contains matches in``."""

    offset: int
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands that are all joined by AND, or all by OR."""

    offset: int
    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of an operand."""

    offset: int
    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A first operand, and what is added, subtracted, multiplied or divided, from left to right."""

    offset: int
    first: Node
    rest: tuple[tuple[str, int, Node], ...]
    """Operators, their places and operands."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A number with the other sign."""

    offset: int
    operand: Node


Node = Literal | Field | ListOf | Call | Comparison | Logic | Not | Arithmetic | Negative


def children(node: Node) -> tuple[Node, ...]:
    """Return the operands of a node."""
    match node:
        case ListOf(items=operands) | Call(arguments=operands) | Logic(operands=operands):
            return operands
        case Comparison(left=left, right=right):
            return left, right
        case Arithmetic(first=first, rest=rest):
            return first, *(operand for _, _, operand in rest)
        case Not(operand=operand) | Negative(operand=operand):
            return (operand,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))
