"""Expressions that are ready to be evaluated, and the compiler that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wfx.expressions.checks import Checker
from wfx.expressions.closures import Closure, closure, truth
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.functions import CallSite, Functions
from wfx.expressions.names import EVENT_NAMES, Names
from wfx.expressions.parser import parse
from wfx.expressions.scope import Scope
from wfx.expressions.steps import steps_of
from wfx.expressions.tree import Call, Comparison, Logic, Node, Not
from wfx.expressions.values import ValueKind, kind_of

_PLACES = 2
"""Decimal places of a formula's result."""


class Purpose(Enum):
    """What an expression is for: the kind that it must give, and where it stands."""

    CONDITION = (ValueKind.BOOLEAN, CallSite.ANYWHERE)
    FORMULA = (ValueKind.NUMBER, CallSite.PARAMETERS)
    VALUE = (ValueKind.ANY, CallSite.PARAMETERS)
    OUTPUT = (ValueKind.ANY, CallSite.OUTPUT)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression."""

    text: str
    tree: Node
    evaluate: Closure
    """Returns the value for a scope. Raises EvaluationError."""
    steps: int = 0
    """How many an evaluation takes at most; 0 if that is not limited."""


class Compiler:
    """Makes expressions of texts, with the functions of one mode."""

    def __init__(
        self, functions: Functions, *, strict: bool = False, names: Names = EVENT_NAMES, most_steps: int = 0
    ) -> None:
        """Take the functions that there are, and whether only those may be called that strict mode allows.

        Names are those of rules unless given; evaluations may take ``most_steps``, any number if that is 0.
        """
        self._every = functions
        self._functions = functions.allowed(strict=strict)
        self._names = names
        self._most_steps = most_steps

    def compile(self, text: str, purpose: Purpose) -> Expression:
        """Return the expression of a text. Raises ExpressionError."""
        tree = parse(text, self._names)
        kind, call_site = purpose.value
        Checker(self._functions, self._every, call_site).check(tree, kind)
        if purpose is Purpose.OUTPUT and not _sets(tree, self._functions):
            raise ExpressionError('a call such as flw.setOutput("name", payload.value) is needed here', tree.offset)
        steps = steps_of(tree, self._most_steps) if self._most_steps else 0
        return Expression(text, tree, _ending(closure(tree, self._functions), purpose, tree), steps)


def _sets(tree: Node, functions: Functions) -> bool:
    return isinstance(tree, Call) and functions.by_name[tree.function].call_site is CallSite.OUTPUT


def _ending(evaluate: Closure, purpose: Purpose, tree: Node) -> Closure:
    """Return what evaluates and gives what the purpose needs; comparisons and logic give true or false anyway."""
    offset = tree.offset
    if purpose is Purpose.CONDITION and not isinstance(tree, Comparison | Logic | Not):

        def holds(scope: Scope) -> bool:
            value = evaluate(scope)
            return value if value is True or value is False else truth(value, offset)

        return holds
    if purpose is Purpose.FORMULA:
        return lambda scope: _rounded(evaluate(scope), offset)
    return evaluate


def _rounded(value: object, offset: int) -> int | float:
    if type(value) is int:
        return value
    if type(value) is not float:
        raise EvaluationError(f"a formula gives a number, and this is {kind_of(value).value}", offset)
    rounded = round(value, _PLACES)
    return int(rounded) if rounded.is_integer() else rounded
