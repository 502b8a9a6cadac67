"""Latency over time, in bounded memory: a stretch of time that is over keeps only what a plot can show of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from wfx_loadtest.duration import SECOND

DELIVERIES = "Event deliveries"
"""The series of events that reached a subscriber: no requests, but drawn along with them."""
MOST_POINTS = 4000
"""Points kept of a series; of more requests than that, each slot keeps its slowest, its fastest and some others."""
MOST_SLOTS = 400
SETTLED = 15 * SECOND
"""A slot this old gets no more answers: every request has ended by then."""


@dataclass(slots=True)
class Point:
    """One request on the plot, in nanoseconds since the start."""

    offset: int
    latency: int


@dataclass(slots=True)
class Slot:
    """What happened to the requests of one series that were due in one stretch of time."""

    start: int
    """Nanoseconds since the run's start."""
    points: list[Point] = field(default_factory=list)
    count: int = 0
    p50: int = 0
    p99: int = 0
    worst: int = 0

    def settle(self, most: int) -> None:
        """Work out the figures and thin out the points to ``most``, the slowest and fastest among them."""
        ranked = sorted(self.points, key=lambda point: point.latency)
        self.count = len(ranked)
        self.p50, self.p99, self.worst = (ranked[_rank(share, self.count)].latency for share in (0.5, 0.99, 1.0))
        if self.count > most:
            self.points = [ranked[place * (self.count - 1) // (most - 1)] for place in range(most)]
            self.points.sort(key=lambda point: point.offset)

    def absorb(self, late: Slot) -> None:
        """Take in what came after this slot was settled; its percentiles stay those of the many before."""
        self.points += late.points
        self.count += late.count
        self.worst = max(self.worst, late.worst)


def _rank(share: float, count: int) -> int:
    return max(0, min(count, ceil(share * count)) - 1)


class Timeline:
    """The slots of every series. A failed request belongs to the series' errors."""

    def __init__(self, started: int, duration: int) -> None:
        """Cut the planned duration into at most 400 slots of at least a second."""
        self._started = started
        self.width = max(SECOND, duration // MOST_SLOTS)
        self._most = max(3, MOST_POINTS * self.width // max(duration, self.width))
        self._slots: dict[tuple[str, bool], dict[int, Slot]] = {}
        self._open: dict[tuple[str, bool], dict[int, Slot]] = {}
        self._newest = 0

    def add(self, series: str, due: int, latency: int, *, failed: bool) -> None:
        """Note one request."""
        offset = max(due - self._started, 0)
        number = offset // self.width
        if number > self._newest:
            self._newest = number
            self._settle(number - 1 - SETTLED // self.width)
        slots = self._open.setdefault((series, failed), {})
        slot = slots.get(number)
        if slot is None:
            slot = slots[number] = Slot(number * self.width)
        slot.points.append(Point(offset, latency))

    def series(self) -> Iterator[tuple[str, bool, list[Slot]]]:
        """Yield each series' name, whether these are its errors, and its slots in order; settles what is open."""
        self._settle(self._newest)
        for (name, failed), slots in sorted(self._slots.items()):
            yield name, failed, [slots[number] for number in sorted(slots)]

    def _settle(self, upto: int) -> None:
        for key, slots in self._open.items():
            for number in [number for number in slots if number <= upto]:
                slot = slots.pop(number)
                slot.settle(self._most)
                settled = self._slots.setdefault(key, {})
                if number in settled:
                    settled[number].absorb(slot)
                else:
                    settled[number] = slot
