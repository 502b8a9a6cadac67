"""Ages at which finished jobs are deleted: ``30d``, or by group or state, ``FAILED=90d``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from wfx.commandline import durations
from wfx.domain.finished import OPEN

_LONGEST = 1000 * 365 * 86_400
"""Seconds; more would be before all times that a store knows."""


def parse_age(text: str) -> float:
    """Return the seconds of an age, which is a duration such as ``12h`` or ``30d``. Raises ValueError."""
    seconds = durations.parse(text, "age", "12h, 30d, 2w or 1y")
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f'invalid age "{text}": it must be from 0 to 1000y')
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
