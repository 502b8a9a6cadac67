"""Thresholds: the limits that a run must keep for a pipeline to pass (``--fail-above p99=50ms``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfx.commandline import durations
from wfx_loadtest.duration import SECOND, rounded, text

if TYPE_CHECKING:  # help and completion need neither
    from wfx_loadtest.facts import Fact
    from wfx_loadtest.metrics import Metrics

MISSING = "missing-events"
"""The name of what only scenarios with subscribers measure."""
CEILINGS = ("p50", "p90", "p95", "p99", "mean", "max", "errors", "error-rate", MISSING)
"""Names for ``--fail-above``; any other percentile is one, too."""
FLOORS = ("rate", "throughput")
"""Names for ``--fail-below``."""
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit, such as ``p99=50ms``."""

    name: str
    limit: float
    """Nanoseconds, a share from 0 to 1, or a number, depending on what is measured."""
    shown: str
    """The limit as it was given."""
    floor: bool = False
    """Whether values below the limit fail, instead of those above."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run measured for a threshold."""

    threshold: Threshold
    value: float | None
    """In the limit's unit; None if the run measured nothing that could be compared."""
    shown: str

    @property
    def passed(self) -> bool:
        """Whether the limit was kept; a run that measured nothing keeps no limit."""
        if self.value is None:
            return False
        limit = self.threshold.limit
        return self.value >= limit if self.threshold.floor else self.value <= limit

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "passed" if self.passed else "failed"

    @property
    def sentence(self) -> str:
        """The verdict in one line: ``p99 is 61.2ms, above 50ms``."""
        name, limit = self.threshold.name, self.threshold.shown
        if self.value is None:
            return f"{name}: {self.shown}, so it cannot be compared with {limit}"
        floor = self.threshold.floor
        where = ("not below" if floor else "within") if self.passed else ("below" if floor else "above")
        return f"{name} is {self.shown}, {where} {limit}"


def parse(given: Sequence[str], *, floor: bool) -> tuple[Threshold, ...]:
    """Read ``NAME=LIMIT`` words. Raises ValueError with the reason."""
    return tuple(_parsed(word, floor=floor) for word in given)


def _parsed(word: str, *, floor: bool) -> Threshold:
    name, separator, limit = word.partition("=")
    if not separator or not limit:
        raise ValueError(f'"{word}" must be NAME=LIMIT, such as {"rate=95" if floor else "p99=50ms"}')
    return Threshold(name, _reader(name, floor=floor)(name, limit), limit, floor)


def _reader(name: str, *, floor: bool) -> Callable[[str, str], float]:
    if name in (CEILINGS if floor else FLOORS):
        raise ValueError(f"{name} is a threshold for --fail-{'above' if floor else 'below'}")
    if floor and name in FLOORS:
        return _number
    if not floor and (name in ("mean", "max") or _percent(name)):
        return _duration
    if not floor and name in CEILINGS:
        return _share if name == "error-rate" else _count
    allowed = ", ".join(FLOORS if floor else CEILINGS)
    raise ValueError(f'unknown threshold "{name}"; use one of {allowed}{"" if floor else ", or another percentile"}')


def _percent(name: str) -> float:
    """Return the percentile that a name stands for; 0 if it is none."""
    found = _PERCENTILE.fullmatch(name)
    return float(found[1]) if found else 0.0


def _duration(name: str, limit: str) -> float:
    try:
        seconds = durations.parse(limit)
    except ValueError:
        seconds = -1.0
    if seconds < 0 or limit == "-0":
        raise ValueError(f'{name} needs a duration with a unit, such as 50ms, not "{limit}"')
    return seconds * SECOND


def _number(name: str, limit: str) -> float:
    if not _NUMBER.fullmatch(limit):
        raise ValueError(f'{name} needs a number of requests a second, such as 95, not "{limit}"')
    return float(limit)


def _count(name: str, limit: str) -> float:
    if not (limit.isascii() and limit.isdigit()):
        raise ValueError(f'{name} needs a whole number, such as 0, not "{limit}"')
    return float(limit)


def _share(name: str, limit: str) -> float:
    number = limit.removesuffix("%")
    if number == limit or not _NUMBER.fullmatch(number) or float(number) > 100:
        raise ValueError(f'{name} needs a percentage from 0% to 100%, such as 0.1%, not "{limit}"')
    return float(number) / 100


def check(thresholds: Sequence[Threshold], metrics: Metrics, facts: Sequence[Fact]) -> list[Verdict]:
    """Compare what a run measured with its thresholds."""
    if not metrics.requests:
        return [Verdict(threshold, None, "no requests were made") for threshold in thresholds]
    found = {(fact.title, name): value for fact in facts for name, value in zip(fact.members, fact.values, strict=True)}
    highest = found.get(("Highest rate", "req/s"))
    if highest == "none":
        return [Verdict(threshold, None, "no rate held") for threshold in thresholds]
    measured = {
        "errors": (metrics.failures, str(metrics.failures)),
        "error-rate": _percentage(metrics.failures / metrics.requests),
        "rate": (float(highest), highest) if highest else (metrics.rate, f"{metrics.rate:.2f}"),
        "throughput": (metrics.throughput, f"{metrics.throughput:.2f}"),
    }
    if missing := found.get(("Deliveries", "missing")):
        measured[MISSING] = (int(missing), missing)
    return [
        Verdict(threshold, *(measured.get(threshold.name) or _latency(threshold, metrics))) for threshold in thresholds
    ]


def _percentage(share: float) -> tuple[float, str]:
    return share, f"{100 * share:.4g}%"


def _latency(threshold: Threshold, metrics: Metrics) -> tuple[int, str]:
    if threshold.name == "mean":
        latency = metrics.latencies.mean
    elif threshold.name == "max":
        latency = metrics.latencies.max
    else:
        latency = metrics.latencies.percentile(_percent(threshold.name))
    exact = latency > threshold.limit and rounded(latency) == threshold.shown
    return latency, text(latency) if exact else rounded(latency)
