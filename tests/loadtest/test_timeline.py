from __future__ import annotations

import random

import pytest

from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.timeline import MOST_POINTS, MOST_SLOTS, Timeline


def test_few_requests_are_all_kept() -> None:
    """Up to 4,000 requests of a series each one is on the plot."""
    timeline = Timeline(0, 10 * SECOND)
    for number in range(1000):
        timeline.add("x", number * 10 * MILLISECOND, number, failed=False)
    [(_, failed, slots)] = timeline.series()
    assert not failed
    kept = [(point.offset, point.latency) for slot in slots for point in slot.points]
    assert kept == [(number * 10 * MILLISECOND, number) for number in range(1000)]
    assert [slot.count for slot in slots] == [100] * 10


def test_many_requests_are_thinned_but_never_the_slowest() -> None:
    """Of 100,000 requests at most 4,000 are kept, with the slowest and the fastest of every stretch among them."""
    chance = random.Random(3)
    timeline = Timeline(0, 100 * SECOND)
    extremes: dict[int, list[int]] = {}
    for number in range(100_000):
        latency = chance.randint(1, 10**9)
        extremes.setdefault(number // 1000, []).append(latency)
        timeline.add("x", number * MILLISECOND, latency, failed=False)
    [(_, _, slots)] = timeline.series()
    assert sum(len(slot.points) for slot in slots) <= MOST_POINTS
    for slot, latencies in zip(slots, extremes.values(), strict=True):
        kept = [point.latency for point in slot.points]
        assert (min(kept), max(kept)) == (min(latencies), max(latencies))
        assert slot.worst == max(latencies)
        assert slot.count == 1000
        assert slot.p99 == sorted(latencies)[989]


def test_long_runs_use_wider_slots() -> None:
    """A day of load is cut into no more stretches than ten minutes are."""
    day = 86_400 * SECOND
    timeline = Timeline(0, day)
    for second in range(0, 86_400, 10):
        timeline.add("x", second * SECOND, 1, failed=False)
    [(_, _, slots)] = timeline.series()
    assert len(slots) <= MOST_SLOTS


@pytest.mark.parametrize("seconds_later", [10, 40])
def test_a_late_answer_still_finds_its_stretch(seconds_later: int) -> None:
    """A request that is answered late counts in the stretch it was due in, even if that was settled already."""
    timeline = Timeline(0, 60 * SECOND)
    for second in range(seconds_later):
        timeline.add("x", second * SECOND, 1, failed=False)
    timeline.add("x", 0, seconds_later * SECOND, failed=False)
    [(_, _, slots)] = timeline.series()
    assert (slots[0].count, slots[0].worst) == (2, seconds_later * SECOND)


def test_failures_are_a_series_of_their_own() -> None:
    """Successful and failed requests of one kind are told apart."""
    timeline = Timeline(0, SECOND)
    timeline.add("x", 0, 1, failed=True)
    timeline.add("x", 0, 1, failed=False)
    assert [(name, failed) for name, failed, _ in timeline.series()] == [("x", False), ("x", True)]
