"""What a load test counts. Latencies are nanoseconds from the moment a request was due to its complete answer."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from hdrh.histogram import HdrHistogram

from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.timeline import Timeline

LONGEST = 120 * SECOND
"""Longer latencies count as this much in the percentiles; the maximum stays exact."""
DIGITS = 3
"""Significant decimal digits of a percentile."""
LATE = 5 * MILLISECOND
"""A request that leaves this much after it was due counts as late: that is the generator's fault, not the service's."""
LATE_SHARE = 0.005
"""The share of late requests above which the generator is said to have fallen behind."""
LATE_TOLERATED = 2
"""Late requests that are no trend, however short the run."""
DISTINCT_ERRORS = 100
"""Different error texts that are kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went."""

    series: str
    due: int
    """When it was to be sent."""
    latency: int
    code: int
    """The HTTP status, 0 without an answer."""
    bytes_in: int = 0
    bytes_out: int = 0
    error: str = ""
    """Why it failed; empty if it succeeded."""


class Latencies:
    """A distribution of latencies in constant memory: exact extremes and mean, percentiles to three digits."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, LONGEST, DIGITS)
        self._sum = 0
        self.count = 0
        self.min = 0
        self.max = 0

    def add(self, latency: int) -> None:
        """Count one; below zero (clocks of two machines) counts as zero."""
        latency = max(latency, 0)
        self._histogram.record_value(min(latency, LONGEST))
        self.min = latency if not self.count else min(self.min, latency)
        self.max = max(self.max, latency)
        self._sum += latency
        self.count += 1

    @property
    def mean(self) -> int:
        """The mean; 0 if there is nothing."""
        return self._sum // self.count if self.count else 0

    def at(self, shares: Sequence[float]) -> list[tuple[int, int]]:
        """Return for each share of the requests (0 to 1) the latency they stayed within, and how many did so."""
        if not self.count:
            return [(0, 0)] * len(shares)
        # The histogram's own iterators take 80 ms for what one look at its counters takes 2 ms for.
        filled = [(index, count) for index, count in enumerate(self._histogram.counts) if count]
        reached = list(accumulate(count for _, count in filled))
        return [self._at(share, filled, reached) for share in shares]

    def _at(self, share: float, filled: list[tuple[int, int]], reached: list[int]) -> tuple[int, int]:
        place = bisect_left(reached, max(1, round(share * self.count)))
        value = self._histogram.get_value_from_index(filled[place][0])
        upmost = self._histogram.get_highest_equivalent_value(value)
        return self.min if share == 0 else max(self.min, min(upmost, self.max)), reached[place]

    def percentile(self, percent: float) -> int:
        """Return the latency that ``percent`` of the requests stayed within."""
        return self.at([percent / 100])[0][0]


class Lateness:
    """How well the generator itself kept its schedule."""

    def __init__(self) -> None:
        """Start in time."""
        self.count = 0
        self.late = 0
        self.worst = 0
        self.last = 0
        """By how much the request that left last was late: what was not caught up."""

    def add(self, delay: int) -> None:
        """Count a request that left ``delay`` nanoseconds after it was due."""
        self.count += 1
        self.late += delay > LATE
        self.worst = max(self.worst, delay)
        self.last = delay

    @property
    def behind(self) -> bool:
        """Whether so much left late that the latencies say more about the generator than about the service."""
        return self.late > max(self.count * LATE_SHARE, LATE_TOLERATED)


class Metrics:
    """Everything that is counted of one run."""

    def __init__(self, started: int, duration: int) -> None:
        """Count from the moment ``started`` on; the duration (nanoseconds) fixes how finely the time line is cut."""
        self.started = started
        self.latencies = Latencies()
        self.lateness = Lateness()
        self.timeline = Timeline(started, duration)
        self.codes: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        """How often each error text came, of the first hundred different ones."""
        self.requests = 0
        self.successes = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.latest = started
        self.end = started
        self.recent: list[int] | None = None
        """The latencies since somebody last emptied this list; None while nobody watches."""

    def add(self, outcome: Outcome) -> None:
        """Count one request."""
        self.requests += 1
        self.successes += 200 <= outcome.code < 400
        self.codes[outcome.code] += 1
        if outcome.error in self.errors or (outcome.error and len(self.errors) < DISTINCT_ERRORS):
            self.errors[outcome.error] += 1
        self.bytes_in += outcome.bytes_in
        self.bytes_out += outcome.bytes_out
        self.latest = max(self.latest, outcome.due)
        self.end = max(self.end, outcome.due + outcome.latency)
        self.latencies.add(outcome.latency)
        self.timeline.add(outcome.series, outcome.due, outcome.latency, failed=bool(outcome.error))
        if self.recent is not None:
            self.recent.append(outcome.latency)

    @property
    def attack(self) -> int:
        """From the first to the last due moment."""
        return self.latest - self.started

    @property
    def wait(self) -> int:
        """From the last due moment to the last answer."""
        return self.end - self.latest

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests * SECOND / self.attack if self.attack else float(self.requests)

    @property
    def throughput(self) -> float:
        """Successful requests a second, until the last answer."""
        whole = self.end - self.started
        return self.successes * SECOND / whole if whole else 0.0

    @property
    def success(self) -> float:
        """Share of the requests that succeeded."""
        return self.successes / self.requests if self.requests else 0.0

    @property
    def failures(self) -> int:
        """Requests that did not succeed."""
        return self.requests - self.successes
