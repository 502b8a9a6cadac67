"""What a scenario says beyond the figures of its requests."""

from __future__ import annotations

from dataclasses import dataclass

from wfx_loadtest.duration import rounded
from wfx_loadtest.metrics import Latencies

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a report: ``Requests  [total, rate]  600, 100.22``."""

    title: str
    members: tuple[str, ...]
    values: tuple[str, ...]
    durations: tuple[int, ...] = ()
    """The values in nanoseconds, where all are durations."""

    @property
    def legend(self) -> str:
        """What the values are, as the report shows it."""
        return f"[{', '.join(self.members)}]"

    @property
    def value(self) -> str:
        """The values as the report shows them."""
        return ", ".join(self.values)


def distribution(title: str, latencies: Latencies) -> Fact:
    """Show a distribution by its extremes, mean and usual percentiles."""
    percentiles = [value for value, _ in latencies.at([percent / 100 for percent in PERCENTILES])]
    values = (latencies.min, latencies.mean, *percentiles, latencies.max)
    members = ("min", "mean", *map(str, PERCENTILES), "max")
    return Fact(title, members, tuple(rounded(value) for value in values), values)
