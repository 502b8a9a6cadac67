"""Types of actions: what each checks in a rule file, and what it plans for an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from wfx.rules.event import Event

GROUP = "wfx.actions"
"""Entry point by which packages add types of actions: an object, or a class without parameters."""
Parameters = Mapping[str, Any]


class ParameterFault(NamedTuple):
    """What is wrong with the parameters of an action."""

    text: str
    name: str = ""
    """Of the parameter; empty if it is about all of them, or one that is missing."""


class Plan(NamedTuple):
    """What an action would do."""

    parameters: Parameters
    message: str
    """What its result will say if it succeeds."""


@runtime_checkable
class ActionType(Protocol):
    """A type of actions. Nothing of it has an effect."""

    @property
    def type(self) -> str:
        """Its name in rule files."""
        ...

    def validate(self, parameters: Parameters) -> Iterable[ParameterFault | str]:
        """Return what is wrong with parameters as they are in the file, with ``${…}`` in their texts."""
        ...

    def plan(self, parameters: Parameters, event: Event) -> Plan:
        """Return what to do for an event, with the values in place of ``${…}``. Raises ValueError."""
        ...


ActionTypes = Mapping[str, ActionType]


def effect_of(kind: ActionType) -> str:
    """Return the type whose effect a type has: its own, or what its attribute ``acts_as`` says.

    Types of other packages act as one of ours: their plans have the parameters of that.
    """
    return str(getattr(kind, "acts_as", kind.type))


def table(types: Iterable[ActionType]) -> ActionTypes:
    """Return types of actions by name. Raises ValueError for two of one name."""
    by_name: dict[str, ActionType] = {}
    for one in types:
        if by_name.setdefault(one.type, one) is not one:
            raise ValueError(f"there are two types of actions {one.type}: uninstall the package with one of them")
    return MappingProxyType(by_name)


def installed(own: Iterable[ActionType], found: Iterable[EntryPoint] | None = None) -> ActionTypes:
    """Return our types and those of installed packages. Raises ValueError for one that cannot be used."""
    return table([*own, *map(_loaded, entry_points(group=GROUP) if found is None else found)])


def _loaded(point: EntryPoint) -> ActionType:
    try:
        made = point.load()
        made = made() if isinstance(made, type) else made
        if isinstance(made, ActionType) and made.type == point.name:
            return made
    except Exception as exc:
        raise ValueError(f"the action {point.name} of {point.value} cannot be used: {exc}") from exc
    raise ValueError(
        f"the action {point.name} of {point.value} cannot be used: it needs type (the same name), validate and plan"
    )
