"""Histogram: counts values by their size, in plain integers, at the price of a search among a few bounds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from math import fsum

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Bounds for times."""


class Histogram:
    """Counts of observed values by their size."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Count values up to each of these bounds, and beyond."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """The sum of the values."""

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def observe_all(self, values: Iterable[float]) -> None:
        """Count many values: the bounds are looked for among them, which takes less than the reverse."""
        ordered, reached = sorted(values), 0
        for place, bound in enumerate(self.bounds):
            until = bisect_right(ordered, bound, reached)
            self.counts[place] += until - reached
            reached = until
        self.counts[-1] += len(ordered) - reached
        self.total += fsum(ordered)

    def buckets(self, scale: float = 1) -> Iterator[tuple[str, float]]:
        """Give each bound, multiplied by ``scale``, and how many values were at most that."""
        count = 0
        for bound, more in zip((*(float(each) * scale for each in self.bounds), "+Inf"), self.counts, strict=True):
            count += more
            yield str(bound), count
