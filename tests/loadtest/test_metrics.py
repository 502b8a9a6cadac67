from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from wfx_loadtest.duration import MICROSECOND, MILLISECOND, SECOND
from wfx_loadtest.metrics import DISTINCT_ERRORS, LATE, Latencies, Lateness, Metrics, Outcome

RESOLUTION = 0.001
"""Three significant digits."""


def _filled(values: list[int]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


@pytest.mark.parametrize("name", ["uniform", "exponential", "bimodal", "constant", "nanoseconds"])
def test_percentiles_are_exact_to_three_digits(name: str) -> None:
    """Whatever the distribution, a percentile differs from the exact one by less than a thousandth."""
    chance = random.Random(7)
    draws: dict[str, Callable[[], int]] = {
        "uniform": lambda: chance.randint(1, 20_000_000),
        "exponential": lambda: int(chance.expovariate(1 / 3e6)) + 1,
        "bimodal": lambda: chance.choice((1_000_000, 900_000_000)) + chance.randint(0, 1000),
        "constant": lambda: 4_321_987,
        "nanoseconds": lambda: chance.randint(1, 3000),
    }
    draw = draws[name]
    values = [draw() for _ in range(10_000)]
    latencies = _filled(values)
    shares, ranked = (0.01, 0.1, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999), sorted(values)
    for share, (value, _) in zip(shares, latencies.at(shares), strict=True):
        assert value == pytest.approx(ranked[round(share * len(ranked)) - 1], rel=RESOLUTION)
    assert (latencies.min, latencies.max) == (min(values), max(values))
    assert latencies.mean == sum(values) // len(values)


def test_percentiles_stay_between_the_extremes() -> None:
    """No percentile is reported beyond the slowest or below the fastest request."""
    latencies = _filled([1_000_001, 1_234_567])
    assert latencies.percentile(0) == 1_000_001
    assert latencies.percentile(100) == 1_234_567


def test_each_percentile_tells_how_many_stayed_within_it() -> None:
    """The count beside a percentile is the number of requests up to that latency."""
    latencies = _filled([MILLISECOND * number for number in range(1, 11)])
    assert [count for _, count in latencies.at([0.1, 0.5, 0.9, 1.0])] == [1, 5, 9, 10]


def test_nothing_counted_is_all_zeros() -> None:
    """Without a single request every figure is 0 and nothing fails."""
    metrics = Metrics(0, SECOND)
    assert metrics.latencies.at([0, 0.5, 1]) == [(0, 0)] * 3
    assert (metrics.latencies.mean, metrics.rate, metrics.throughput, metrics.success) == (0, 0.0, 0.0, 0.0)


def test_rate_counts_all_and_throughput_the_successful() -> None:
    """The rate is over the time of sending; the throughput, of 2xx and 3xx, over the time to the last answer."""
    metrics = Metrics(1000, 2 * SECOND)
    for number in range(101):
        code = 500 if number % 2 else 200
        metrics.add(Outcome("x", 1000 + number * 20 * MILLISECOND, 5 * MILLISECOND, code))
    assert metrics.attack == 2 * SECOND
    assert metrics.wait == 5 * MILLISECOND
    assert metrics.rate == pytest.approx(101 / 2)
    assert metrics.throughput == pytest.approx(51 / 2.005)
    assert metrics.success == pytest.approx(51 / 101)


def test_distinct_errors_are_kept_once_and_in_bounds() -> None:
    """The same text is kept once, in order of appearance, and endless different texts do not fill the memory."""
    metrics = Metrics(0, SECOND)
    for text in ("b", "a", "b"):
        metrics.add(Outcome("x", 0, 1, 0, error=text))
    assert list(metrics.errors) == ["b", "a"]
    for number in range(1000):
        metrics.add(Outcome("x", 0, 1, 0, error=str(number)))
    assert len(metrics.errors) == DISTINCT_ERRORS
    assert metrics.codes[0] == 1003


def _lateness(*delays: int) -> Lateness:
    lateness = Lateness()
    for delay in delays:
        lateness.add(delay)
    return lateness


def test_the_generator_admits_to_be_late() -> None:
    """Half a percent of late requests is tolerated; beyond that the generator counts as behind."""
    in_time = [20 * MICROSECOND] * 995
    assert not _lateness(*in_time, *[LATE + 1] * 5).behind
    late = _lateness(*in_time, *[LATE + 1] * 5, LATE * 3)
    assert late.behind
    assert (late.late, late.worst) == (6, LATE * 3)


def test_two_late_requests_are_no_trend() -> None:
    """In a short run a request or two may be late without a verdict."""
    assert not _lateness(*[LATE * 3] * 2).behind
    assert _lateness(*[LATE * 3] * 3).behind
