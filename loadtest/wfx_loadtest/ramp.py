"""Looking for the highest rate that a service holds with its p99 under a bound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wfx_loadtest.duration import rounded
from wfx_loadtest.facts import Fact
from wfx_loadtest.metrics import Metrics

STEPS = 12
"""Rates tried; each gets this fraction of the duration."""
_FINE = 1.05
"""The search ends when the rate that held and the one that broke are this close."""
_SUCCESS = 0.99
"""Share of the requests that must succeed for a rate to count as held."""
_NOT_CAUGHT_UP = 0.1
"""If the last request left later than this share of the step, the generator did not make the rate at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rate that was tried."""

    rate: int
    metrics: Metrics
    verdict: str
    """Empty if the rate was held, else why not."""


class Search:
    """Which rate to try next: doubled while all goes well, then halfway between what held and what broke."""

    def __init__(self, first: int) -> None:
        """Begin with this rate (at least 1)."""
        self._next = max(first, 1)
        self._held = 0
        self._broke: int | None = None

    @property
    def rate(self) -> int | None:
        """The rate to try now; None when nothing finer is worth it."""
        if self._broke is not None and self._broke <= max(self._held * _FINE, self._held + 1):
            return None
        return self._next

    def held(self) -> None:
        """Note that the rate tried last was held."""
        self._held = self._next
        self._next = self._next * 2 if self._broke is None else (self._held + self._broke) // 2

    def broke(self) -> None:
        """Note that the rate tried last was not held."""
        self._broke = self._next
        self._next = (self._held + self._broke) // 2


async def find(first: int, target: int, attempt: Callable[[int], Awaitable[Metrics]]) -> list[Step]:
    """Try up to twelve rates with ``attempt(rate)``; return the steps in the order they were made."""
    search, steps = Search(first), list[Step]()
    while len(steps) < STEPS and (rate := search.rate):
        metrics = await attempt(rate)
        if not metrics.requests:
            break
        step = Step(rate, metrics, _verdict(metrics, target))
        steps.append(step)
        if step.verdict:
            search.broke()
        else:
            search.held()
    return steps


def best(steps: list[Step]) -> Step | None:
    """Return the highest rate that was held."""
    return max((step for step in steps if not step.verdict), key=lambda step: step.rate, default=None)


def _verdict(metrics: Metrics, target: int) -> str:
    if metrics.success < _SUCCESS:
        return f"success {metrics.success:.2%}"
    if metrics.lateness.last > metrics.attack * _NOT_CAUGHT_UP:
        return "generator late"
    if metrics.latencies.percentile(99) <= target:
        return ""  # even with whatever the generator's own lateness added
    return "generator late" if metrics.lateness.behind else f"p99 over {rounded(target)}"


def facts(steps: list[Step], target: int) -> list[Fact]:
    """Show the search: its result, then every step."""
    top = best(steps)
    lines = [Fact("Highest rate", ("req/s", "p99 bound"), (str(top.rate) if top else "none", rounded(target)))]
    for step in steps:
        values = (str(step.rate), rounded(step.metrics.latencies.percentile(99)), step.verdict or "held")
        lines.append(Fact("Step", ("req/s", "p99", "verdict"), values))
    return lines
