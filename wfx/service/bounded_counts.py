"""Counter by names of which callers may make ever more: beyond a bound, new ones share one entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

MOST = 1000
"""Names that are told apart."""
OTHER = "(other)"
"""Stands for all others; no name of a workflow or group has parentheses."""


class BoundedCounts(Mapping[str, int]):
    """How often each name was noted."""

    def __init__(self, most: int = MOST) -> None:
        """Begin with none; tell ``most`` names apart."""
        self._most = most
        self._counts: dict[str, int] = {}

    def note(self, name: str) -> None:
        """Count a name."""
        key = name if name in self._counts or len(self._counts) < self._most else OTHER
        self._counts[key] = self._counts.get(key, 0) + 1

    def __getitem__(self, name: str) -> int:
        """Return how often a name was noted."""
        return self._counts[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._counts)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._counts)
