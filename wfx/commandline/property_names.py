"""Names of options as properties of another program are spelled, in configuration files.

``flowable.sandbox.rate-limit.instance-start[0].capacity`` is a member of the first item of the list
``sandbox-rate-limit-instance-start``. Dots stand for sections, and the name of the program in front may be left out.
Items with the members ``capacity``, ``duration`` and perhaps ``scope`` are written as ``SCOPE=CAPACITY/DURATION``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_PROGRAM = "flowable-"
_OURS = "sandbox-"
_LIMIT = "sandbox-rate-limit-"
_MEMBER = re.compile(r"(.{1,100})\[(\d{1,3})\]-([a-z]{1,100})")
_MEMBERS = ("capacity", "duration", "scope")


class Member(NamedTuple):
    """A member of an item of a list."""

    option: str
    place: int
    name: str


def option_of(key: str) -> str | Member:
    """Return the name of the option that a key of a file gives, or of which it gives a part."""
    name = key.replace("_", "-")
    dashed = name.replace(".", "-").removeprefix(_PROGRAM)
    if not dashed.startswith(_OURS):
        return name
    found = _MEMBER.fullmatch(dashed)
    return Member(found[1], int(found[2]), found[3]) if found else dashed


def items_of(option: str, value: Any) -> Any:
    """Write the items of a list of limits, if it has any with members. Raises ValueError."""
    if not option.startswith(_LIMIT) or not isinstance(value, list):
        return value
    return [item_of(each) if isinstance(each, dict) else each for each in value]


def joined(members: Mapping[tuple[int, str], Any]) -> list[Any]:
    """Make a list of the members of its items. Raises ValueError."""
    places = sorted({place for place, _ in members})
    if places != [*range(len(places))]:
        missing = next(place for place, found in enumerate(places) if place != found)
        raise ValueError(f"it has no [{missing}]")
    return [item_of({name: value for (at, name), value in members.items() if at == place}) for place in places]


def item_of(members: Mapping[str, Any]) -> str:
    """Write an item. Raises ValueError."""
    for name in members:
        if name not in _MEMBERS:
            raise ValueError(f'a limit has no "{name}", but {", ".join(_MEMBERS)}')
    if faults := [name for name in _MEMBERS[:2] if not isinstance(members.get(name), str)]:
        raise ValueError(f'a limit has one value as its "{faults[0]}"')
    scope = members.get("scope")
    return (f"{scope}=" if scope else "") + f"{members['capacity']}/{members['duration']}"
