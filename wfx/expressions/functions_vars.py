"""Functions ``vars:*``: variables by name, which never fail for one that is missing or of another kind."""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable

from wfx.expressions.functions import Function, Parameter
from wfx.expressions.scope import Scope
from wfx.expressions.values import NUMBERS, Value, ValueKind, contains, equal, shown

_NAME = Parameter("varName", ValueKind.TEXT)
_VALUE = Parameter("value")
_BOOLEAN = ValueKind.BOOLEAN


def _get(scope: Scope, name: str) -> Value:
    return scope.variable(name)[1]


def _get_or_default(scope: Scope, name: str, default: Value) -> Value:
    found, value = scope.variable(name)
    return value if found else default


def _has(scope: Scope, name: str, value: Value) -> bool:
    variable = scope.variable(name)[1]
    if type(variable) is list:
        return contains(variable, value)
    return type(variable) is str and type(value) is str and value in variable


def _contains_any(scope: Scope, name: str, values: list[Value]) -> bool:
    return any(_has(scope, name, value) for value in values)


def _contains_all(scope: Scope, name: str, values: list[Value]) -> bool:
    return all(_has(scope, name, value) for value in values)


def _equals(scope: Scope, name: str, value: Value) -> bool:
    found, variable = scope.variable(name)
    return found and equal(variable, value)


def _not_equals(scope: Scope, name: str, value: Value) -> bool:
    return not _equals(scope, name, value)


def _exists(scope: Scope, name: str) -> bool:
    return scope.variable(name)[0]


def _is_empty(scope: Scope, name: str) -> bool:
    value = scope.variable(name)[1]
    return value is None or (type(value) in (str, list, dict) and not value)


def _is_not_empty(scope: Scope, name: str) -> bool:
    return not _is_empty(scope, name)


def _ordered(holds: Callable[[float, float], bool]) -> Callable[[Scope, str, Value], bool]:
    def evaluate(scope: Scope, name: str, value: Value) -> bool:
        variable = scope.variable(name)[1]
        return type(variable) in NUMBERS and type(value) in NUMBERS and holds(variable, value)

    return evaluate


def _base64(scope: Scope, name: str) -> str:
    return base64.b64encode(shown(scope.variable(name)[1]).encode("utf-8", "replace")).decode()


def _on_variable(  # what a row of the table says
    name: str, more: tuple[Parameter, ...], call: Callable[..., Value], gives: ValueKind, summary: str, example: str,
    result: Value,
) -> Function:  # fmt: skip
    full = f"vars:{name}"
    return Function(full, (_NAME, *more), call, gives, summary, f"{full}({example})", result, takes_scope=True)


_LIST = (Parameter("values", ValueKind.LIST),)
FUNCTIONS = (
    _on_variable("get", (), _get, ValueKind.ANY, "A variable, null if there is none.", '"category"', "food"),
    _on_variable(
        "getOrDefault", (Parameter("defaultValue"),), _get_or_default, ValueKind.ANY,
        "A variable, or another value if there is none.", '"tier", "none"', "none",
    ),
    _on_variable(
        "containsAny", _LIST, _contains_any, _BOOLEAN, "Whether a list or text has any of the values.",
        '"tags", ["lab", "press"]', True,
    ),
    _on_variable(
        "containsAll", _LIST, _contains_all, _BOOLEAN, "Whether a list or text has all of the values.",
        '"tags", ["lab", "press"]', False,
    ),
    _on_variable(
        "equals", (_VALUE,), _equals, _BOOLEAN, "Whether there is a variable with this value.", '"amount", 1500', True
    ),
    _on_variable("notEquals", (_VALUE,), _not_equals, _BOOLEAN, "The opposite of `equals`.", '"amount", 1500', False),
    _on_variable("exists", (), _exists, _BOOLEAN, "Whether there is a variable.", '"payload.amount"', True),
    _on_variable(
        "isEmpty", (), _is_empty, _BOOLEAN, "Whether a variable is missing, null, or has nothing in it.", '"tier"', True
    ),
    _on_variable("isNotEmpty", (), _is_not_empty, _BOOLEAN, "The opposite of `isEmpty`.", '"tier"', False),
    _on_variable(
        "lowerThan", (_VALUE,), _ordered(operator.lt), _BOOLEAN, "Whether a variable is a number below another.",
        '"amount", 2000', True,
    ),
    _on_variable(
        "lowerThanOrEquals", (_VALUE,), _ordered(operator.le), _BOOLEAN, "The same, or equal.", '"amount", 1500', True
    ),
    _on_variable(
        "greaterThan", (_VALUE,), _ordered(operator.gt), _BOOLEAN, "Whether a variable is a number above another.",
        '"amount", 1500', False,
    ),
    _on_variable(
        "greaterThanOrEquals", (_VALUE,), _ordered(operator.ge), _BOOLEAN, "The same, or equal.", '"amount", 1500', True
    ),
    _on_variable("base64", (), _base64, ValueKind.TEXT, "The base64 of a variable.", '"category"', "Zm9vZA=="),
)  # fmt: skip
"""The table."""
