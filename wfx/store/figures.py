"""Figures of a store, for metrics and for people who look for the reason of something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

JobCounts = Mapping[tuple[str, str], int]
"""Numbers of jobs by the names of their workflow and group; the group is empty for states that have none."""


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What a cache has done since the start."""

    name: str
    entries: int
    hits: int
    """How often what was wanted was there."""
    misses: int


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Changes that wait for their commit."""

    waiting: int
    room: int
    """More are refused."""


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """What the storage takes."""

    connections: int
    """Open ones."""
    bytes: Mapping[str, int]
    """Sizes by what they are of: ``database``, and what the kind of storage has beside it."""
    details: Mapping[str, str | int]
    """What else there is to tell, which depends on the kind of storage."""
    tombstones: int = 0
    """What is kept of deleted jobs for their devices."""
