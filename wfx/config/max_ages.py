"""Ages at which finished jobs are deleted: ``30d``, or by group or state, ``FAILED=90d``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from wfx.commandline import durations
from wfx.domain.finished import OPEN

_DAY = 86_400
_LONGEST = 1000 * 365 * _DAY
"""Seconds; more would be before all times that a store knows."""
_AGE = re.compile(r"(?:(\d{1,6})y)?(?:(\d{1,6})w)?(?:(\d{1,6})d)?(.*)", re.ASCII | re.DOTALL)


def parse_age(text: str) -> float:
    """Return the seconds of an age: a duration such as ``12h``, also in days, weeks and years of 365 days.

    Raises ValueError.
    """
    found = _AGE.fullmatch(text)
    assert found is not None, "the last part takes everything"
    years, weeks, days = (int(part or 0) for part in found.groups()[:3])
    rest = found[4]
    try:
        seconds = durations.parse(rest) if rest or not any((found[1], found[2], found[3])) else 0.0
    except ValueError as exc:
        raise ValueError(f'"{text}" is no age such as 12h, 30d, 2w or 1y') from exc
    seconds += (years * 365 + weeks * 7 + days) * _DAY
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f'"{text}" is no age: it must be from 0 to 1000y')
    return seconds


@dataclass(frozen=True, slots=True)
class MaxAges:
    """How long finished jobs are kept after their last change, in seconds."""

    usual: float = 0
    """Of those without an age of their own; 0 keeps them for ever."""
    named: Mapping[str, float] = field(default_factory=dict)
    """By the name of a group or state; 0 keeps them for ever."""

    @classmethod
    def parse(cls, items: Sequence[str]) -> Self:
        """Read the items of the option. Raises ValueError for one that is wrong, or says what another one says."""
        usual: float | None = None
        named: dict[str, float] = {}
        for item in items:
            name, found, age = item.rpartition("=")
            if not found:
                if usual is not None:
                    raise ValueError(f'"{item}" is a second age for all; write NAME=AGE for a group or state')
                usual = parse_age(age)
            elif not name:
                raise ValueError(f'"{item}" names no group or state before the =')
            elif name in named:
                raise ValueError(f'"{item}" is a second age for {name}')
            else:
                named[name] = parse_age(age)
                if name == OPEN and named[name]:
                    raise ValueError(f'"{item}" would delete nothing: jobs in the group {OPEN} are not finished')
        return cls(usual or 0, named)

    def of(self, state: str, group: str) -> float:
        """Return how long jobs in this state, which is in this group, are kept; 0 stands for ever."""
        return self.named.get(state, self.named.get(group, self.usual))

    def __bool__(self) -> bool:
        """Tell whether any job is ever deleted for its age."""
        return bool(self.usual or any(self.named.values()))


def check_item(text: str) -> None:
    """Raise ValueError for an item that is wrong by itself."""
    MaxAges.parse([text])
