"""Types of actions: what each checks in a rule file, and what it plans for an event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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


def faults_of(kind: ActionType, parameters: Parameters) -> Sequence[ParameterFault]:
    """Return what a type of actions finds wrong with its parameters, also if it fails to look."""
    try:
        found = kind.validate(parameters)
        return [ParameterFault(one) if isinstance(one, str) else ParameterFault(*one) for one in found]
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - types of other packages may fail in any way
        return [ParameterFault(f"{kind.type} cannot check them: {type(exc).__name__}: {exc}")]


def table(types: Iterable[ActionType]) -> ActionTypes:
    """Return types of actions by name."""
    return MappingProxyType({one.type: one for one in types})


def installed(
    own: Iterable[ActionType], effects: Collection[str], found: Iterable[EntryPoint] | None = None
) -> ActionTypes:
    """Return our types and those of installed packages, each of which has one of these effects.

    Raises ValueError for a type that cannot be used, and for two of one name.
    """
    types = {one.type: (one, "wfx") for one in own}
    for point in entry_points(group=GROUP) if found is None else found:
        package = point.dist.name if point.dist is not None else point.value
        made = _loaded(point, effects)
        if made.type in types:
            other = types[made.type][1]
            raise ValueError(
                f"there are two types of actions {made.type}, of {other} and of {package}: uninstall a package with one"
            )
        types[made.type] = (made, package)
    return table(one for one, _ in types.values())


def _loaded(point: EntryPoint, effects: Collection[str]) -> ActionType:
    named = f"the action {point.name} of {point.value} cannot be used"
    try:
        made = point.load()
        made = made() if isinstance(made, type) else made
        is_sound = isinstance(made, ActionType) and made.type == point.name
        effect = effect_of(made) if is_sound else ""
    except Exception as exc:
        raise ValueError(f"{named}: {type(exc).__name__}: {exc}") from exc
    if not is_sound:
        raise ValueError(f"{named}: it needs type (the same name), validate and plan")
    if effect not in effects:
        raise ValueError(f"{named}: it needs acts_as, the type that carries it out: {', '.join(effects)}")
    return made  # type: ignore[no-any-return]  # it was checked
