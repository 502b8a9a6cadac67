"""Values of expressions: what JSON has, compared by type first."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

Value = Any
"""None, bool, int, float, str, list or dict."""
DEEPEST = 64
"""Levels of lists and objects that are compared."""
LONGEST_TEXT = 65_536
"""Characters of a text that an expression makes."""
_EXACT = 2**53


class ValueKind(Enum):
    """Kind of a value; the enum's value is what messages call it."""

    ANY = "a value"
    NULL = "nothing"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    TEXT = "a text"
    LIST = "a list"
    OBJECT = "an object"


_KINDS = {
    type(None): ValueKind.NULL,
    bool: ValueKind.BOOLEAN,
    int: ValueKind.NUMBER,
    float: ValueKind.NUMBER,
    str: ValueKind.TEXT,
    list: ValueKind.LIST,
    dict: ValueKind.OBJECT,
}
NUMBERS = (int, float)
"""Types of numbers, for a look at ``type(value)``: bool is a type of its own."""


def kind_of(value: Value) -> ValueKind:
    """Return the kind of a value. Raises ValueError for what JSON does not have."""
    kind = _KINDS.get(type(value))
    if kind is None:
        raise ValueError(f"{type(value).__name__} is no kind of value")
    return kind


def fits(kind: ValueKind, value: Value) -> bool:
    """Tell whether a value is of a kind."""
    return kind is ValueKind.ANY or kind_of(value) is kind


def equal(left: Value, right: Value, depth: int = DEEPEST) -> bool:
    """Compare two values; those of different kinds are different. Raises ValueError for what is nested too deeply."""
    if type(left) is str:  # which equals nothing of another kind
        return bool(left == right)
    kind = kind_of(left)
    if kind is not kind_of(right):
        return False
    if kind not in (ValueKind.LIST, ValueKind.OBJECT):
        return bool(left == right)
    if depth == 0:
        raise ValueError(f"values with more than {DEEPEST} levels are not compared")
    if len(left) != len(right):
        return False
    if kind is ValueKind.LIST:
        return all(equal(one, other, depth - 1) for one, other in zip(left, right, strict=True))
    return all(name in right and equal(member, right[name], depth - 1) for name, member in left.items())


def contains(items: list[Value], value: Value) -> bool:
    """Tell whether a list has an item that equals the value. Raises ValueError as :func:`equal`."""
    return value in items if type(value) is str else any(equal(item, value) for item in items)


def depth_of(value: Value, most: int) -> int:
    """Return how many lists and objects stand in each other; more than ``most`` are not counted to the end."""
    depth, level = 0, [value]
    while depth <= most and (level := [one for one in level if isinstance(one, list | dict)]):
        depth += 1
        level = [item for one in level for item in (one if isinstance(one, list) else one.values())]
    return depth


def size_of(value: Value, most: int) -> int:
    """Return how many characters and values there are in a value; more than ``most`` are not counted to the end.

    A list that stands in a value several times counts as often: so it does once it is written.
    """
    size, waiting = 0, [value]
    while waiting and size <= most:
        one = waiting.pop()
        size += 1
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, dict):
            waiting += one
            waiting += one.values()
    return size


def finite(number: float) -> int | float:
    """Return a number, without a fraction if it has none. Raises ValueError if it is too large."""
    number = as_float(number)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def as_float(number: float) -> float:
    """Return a number to calculate with. Raises ValueError if it is too large."""
    try:
        return float(number)
    except OverflowError:
        raise ValueError("the number is too large") from None


def shown(value: Value) -> str:
    """Return a value as a part of a text: nothing is empty, and 75.0 is 75. Raises ValueError for lists and objects."""
    match kind_of(value):
        case ValueKind.TEXT:
            return str(value)
        case ValueKind.NULL:
            return ""
        case ValueKind.BOOLEAN:
            return "true" if value else "false"
        case ValueKind.NUMBER:
            return str(finite(value)) if type(value) is float else f"{_printable(value)}"
        case kind:
            raise ValueError(f"{kind.value} cannot be a part of a text: see flw.io.toJson")


def _printable(number: int) -> int:
    if abs(number) >= 10**30:
        raise ValueError("the number is too large")
    return number
