"""Functions of expressions: what each takes and gives, the table of all of them, and who else may add some."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, TypeVar

from wfx.expressions.values import Value, ValueKind

GROUP = "wfx.functions"
"""Entry point by which packages add functions: a function by its name, or a class whose methods follow a dot."""
_STRICT = "__allowed_in_strict_mode__"
_Added = TypeVar("_Added", bound=Callable[..., Any])


class CallSite(Enum):
    """Where a function may be called; the value is what messages say."""

    ANYWHERE = "anywhere"
    PARAMETERS = "in the parameters of actions only"
    OUTPUT = "as the whole expression of an action set_output only"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function."""

    name: str
    kind: ValueKind = ValueKind.ANY


@dataclass(frozen=True, slots=True)
class Function:
    """A function that expressions can call."""

    name: str
    parameters: tuple[Parameter, ...]
    call: Callable[..., Value]
    """Takes the values, behind the scope if it needs that. Raises ValueError with what is wrong."""
    gives: ValueKind
    summary: str
    example: str = ""
    """An expression on the event of the guide."""
    result: Value = None
    """What the example gives there."""
    call_site: CallSite = CallSite.ANYWHERE
    takes_scope: bool = False
    in_strict_mode: bool = True
    optional: int = 0
    """How many of the last parameters may be left out."""
    is_open: bool = False
    """Whether any number of values may follow."""
    is_own: bool = True
    """Whether it is one of ours, which is known to give values of its kind."""

    @property
    def signature(self) -> str:
        """How it is called."""
        return f"{self.name}({', '.join(parameter.name for parameter in self.parameters)})"


def allowed_in_strict_mode(added: _Added) -> _Added:
    """Let expressions call a function of another package in strict mode; of a class, all its methods."""
    setattr(added, _STRICT, True)
    return added


def not_allowed_in_strict_mode(added: _Added) -> _Added:
    """Keep expressions in strict mode from calling a method of a class that is allowed."""
    setattr(added, _STRICT, False)
    return added


class Functions:
    """The functions that there are, by name."""

    def __init__(self, functions: Iterable[Function]) -> None:
        """Take them. Raises ValueError for two of one name."""
        by_name: dict[str, Function] = {}
        for function in functions:
            if by_name.setdefault(function.name, function) is not function:
                raise ValueError(f"there are two functions {function.name}: uninstall the package with one of them")
        self.by_name: Mapping[str, Function] = MappingProxyType(by_name)

    def allowed(self, *, strict: bool) -> Functions:
        """Return those that may be called in this mode."""
        return Functions(one for one in self.by_name.values() if one.in_strict_mode or not strict)


def installed(own: Iterable[Function], found: Iterable[EntryPoint] | None = None) -> Functions:
    """Return our functions, and those of installed packages. Raises ValueError for one that cannot be used."""
    added = entry_points(group=GROUP) if found is None else found
    return Functions([*own, *(function for point in added for function in _added(point))])


def _added(point: EntryPoint) -> Iterator[Function]:
    try:
        found = point.load()
        if not inspect.isclass(found):
            yield _function(point.name, found, strict=getattr(found, _STRICT, False))
            return
        instance, allowed = found(), getattr(found, _STRICT, False)
        for name, method in inspect.getmembers(instance, callable):
            if not name.startswith("_"):
                yield _function(f"{point.name}.{name}", method, strict=getattr(method, _STRICT, allowed))
    except Exception as exc:
        raise ValueError(f"the function {point.name} of {point.value} cannot be used: {exc}") from exc


def _function(name: str, call: Callable[..., Any], *, strict: bool) -> Function:
    parameters, optional, is_open = [], 0, False
    for one in inspect.signature(call).parameters.values():
        if one.kind is one.VAR_POSITIONAL:
            is_open = True
        elif one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            parameters.append(Parameter(one.name))
            optional += one.default is not one.empty
        elif one.kind is one.KEYWORD_ONLY and one.default is one.empty:
            raise ValueError(f"its parameter {one.name} cannot be given")
    return Function(
        name, tuple(parameters), call, ValueKind.ANY, inspect.getdoc(call) or "",
        in_strict_mode=strict, optional=optional, is_open=is_open, is_own=False,
    )  # fmt: skip
