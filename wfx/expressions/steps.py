"""Steps of an evaluation: how much an expression costs at most, which is known before it is evaluated.

A step takes some tenths of a microsecond. Values that an expression reads are short here, a kilobyte each.
"""

from __future__ import annotations

from wfx.expressions.closures import pattern
from wfx.expressions.errors import ExpressionError
from wfx.expressions.tree import Call, Comparison, Field, Node, walk
from wfx.expressions.values import ValueKind

_PROGRAM_MEMORY = 64 * 1024
"""Bytes of a pattern's program at most; patterns are used with more memory, so that they are fast."""
_OF_INSTRUCTION, _OF_CALL, _OF_LIST = 3, 10, 32


def steps_of(tree: Node, most: int) -> int:
    """Return how many steps an evaluation takes at most. Raises ExpressionError for more than ``most``."""
    total = 0
    for node in walk(tree):
        total += _steps(node)
        if total > most:
            raise ExpressionError(
                f"the expression takes more than {most:,} steps here: shorten it, above all its patterns and lists",
                node.offset,
            )
    return total


def _steps(node: Node) -> int:
    match node:
        case Comparison(operator="matches", right=right):
            return 1 + _OF_INSTRUCTION * int(pattern(right, _PROGRAM_MEMORY).programsize)
        case Field(kind=ValueKind.LIST | ValueKind.OBJECT):
            return _OF_LIST
        case Call():
            return _OF_CALL
    return 1
