from __future__ import annotations

import pytest

from wfx_loadtest import ramp
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.metrics import LATE, Metrics, Outcome

BOUND = 20 * MILLISECOND


def _measured(*, latency: int, code: int = 200, delay: int = 0) -> Metrics:
    metrics = Metrics(0, SECOND)
    for number in range(100):
        metrics.lateness.add(delay)
        metrics.add(Outcome("x", number * 10 * MILLISECOND, latency, code))
    return metrics


class Service:
    """Holds its latency up to a capacity."""

    def __init__(self, capacity: int) -> None:
        """Break above this rate."""
        self.capacity = capacity
        self.tried: list[int] = []

    async def attempt(self, rate: int) -> Metrics:
        """Be measured at a rate."""
        self.tried.append(rate)
        return _measured(latency=5 * MILLISECOND if rate <= self.capacity else 50 * MILLISECOND)


@pytest.mark.parametrize("capacity", [100, 130, 999, 3333, 20_000])
async def test_the_search_comes_close_to_the_capacity(capacity: int) -> None:
    """Whatever the capacity, the rate found is held, and at most a tenth below it, within twelve steps."""
    service = Service(capacity)
    steps = await ramp.find(100, BOUND, service.attempt)
    found = ramp.best(steps)
    assert found is not None
    assert capacity * 0.9 <= found.rate <= capacity
    assert len(steps) == len(service.tried) <= ramp.STEPS


async def test_rates_double_until_one_breaks() -> None:
    """The search begins at the rates that were asked for and doubles them."""
    service = Service(700)
    await ramp.find(100, BOUND, service.attempt)
    assert service.tried[:4] == [100, 200, 400, 800]
    assert service.tried[4] == 600


async def test_a_service_that_holds_nothing_is_reported_as_such() -> None:
    """If even the lowest rate breaks the bound there is no highest rate, and the search ends."""
    steps = await ramp.find(100, BOUND, Service(0).attempt)
    assert ramp.best(steps) is None
    assert ramp.facts(steps, BOUND)[0].values == ("none", "20ms")
    assert [step.verdict for step in steps] == ["p99 over 20ms"] * len(steps)


@pytest.mark.parametrize(
    ("metrics", "verdict"),
    [
        (_measured(latency=5 * MILLISECOND), ""),
        (_measured(latency=BOUND * 2), "p99 over 20ms"),
        (_measured(latency=5 * MILLISECOND, code=500), "success 0.00%"),
        (_measured(latency=BOUND * 2, delay=LATE + 1), "generator late"),
        (_measured(latency=5 * MILLISECOND, delay=LATE + 1), ""),
        (_measured(latency=5 * MILLISECOND, delay=SECOND // 5), "generator late"),
    ],
)
async def test_the_report_says_why_a_rate_was_not_held(metrics: Metrics, verdict: str) -> None:
    """A broken bound, failures, or a bound that broke because the generator was late: each is called by its name."""

    async def attempt(rate: int) -> Metrics:
        del rate
        return metrics

    assert (await ramp.find(100, BOUND, attempt))[0].verdict == verdict


async def test_an_interrupted_search_keeps_what_it_has() -> None:
    """A step that was interrupted is left out, and no further one is begun."""

    async def attempt(rate: int) -> Metrics:
        return _measured(latency=1) if rate == 100 else Metrics(0, 1)

    assert [step.rate for step in await ramp.find(100, BOUND, attempt)] == [100]
