"""Faults of a rule file: all that are found, each at its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MOST = 128
"""Faults that are kept."""
_LONGEST = 500


class Mark(NamedTuple):
    """A place in a text."""

    line: int
    """From 1."""
    column: int
    """From 1, in characters."""


class Fault(NamedTuple):
    """What is wrong, where."""

    mark: Mark
    path: str
    """Of the member, such as ``scenarios[0].id``; empty for the whole."""
    text: str

    def at(self, name: str) -> str:
        """Return it as a line for people, with the name of the file."""
        return f"{name}:{self.mark.line}:{self.mark.column}: " + (f"{self.path}: " if self.path else "") + self.text


class RulesInvalid(ValueError):
    """A rule file has faults."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep them, in the order of the file."""
        super().__init__(faults[0].at("rules"))
        self.faults = faults


class Faults:
    """The first :data:`MOST` faults of a file."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, mark: Mark, path: str, text: str) -> None:
        """Keep a fault."""
        if len(self._found) < MOST:
            self._found.append(Fault(mark, path, text if len(text) <= _LONGEST else text[:_LONGEST] + "…"))

    def __iter__(self) -> Iterator[Fault]:
        """Go through them in the order of the file."""
        return iter(sorted(self._found, key=lambda fault: fault.mark))

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._found)

    def check(self) -> None:
        """Raise RulesInvalid if there are any."""
        if self._found:
            raise RulesInvalid(tuple(self))
