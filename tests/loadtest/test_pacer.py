from __future__ import annotations

import asyncio
import time

import pytest

from tests.waiting import until
from wfx_loadtest.clock import SystemClock
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.pacer import Pacer, fire


class HandClock:
    """A clock that jumps to the moment somebody waits for, plus however late this clock is made to wake."""

    def __init__(self) -> None:
        """Begin at an odd moment: only differences may matter."""
        self.moment = 123_456_789
        self.lateness: dict[int, int] = {}
        self.waits = 0

    def now(self) -> int:
        """Tell the moment."""
        return self.moment

    async def until(self, moment: int) -> None:
        """Jump."""
        self.waits += 1
        self.moment = max(self.moment, moment) + self.lateness.pop(self.waits, 0)
        await asyncio.sleep(0)


async def _due(pacer: Pacer, clock: HandClock, stop: asyncio.Event | None = None) -> tuple[list[int], list[int]]:
    """Return when requests were due, and when they left, both since the start."""
    start = clock.now()
    due, left = [], []
    async for moment in pacer.ticks(start, stop or asyncio.Event()):
        due.append(moment - start)
        left.append(clock.now() - start)
    return due, left


async def test_requests_are_due_at_even_distances() -> None:
    """At 100 a second for 2 s there are 200 requests, each 10 ms after the one before."""
    clock = HandClock()
    due, left = await _due(Pacer(100, 2 * SECOND, clock), clock)
    assert due == [number * 10 * MILLISECOND for number in range(200)]
    assert left == due


async def test_uneven_rates_do_not_drift() -> None:
    """At 3 a second every third request is due on the full second, an hour later too."""
    clock = HandClock()
    due, _ = await _due(Pacer(3, 3600 * SECOND, clock), clock)
    assert len(due) == 3 * 3600
    assert due[3 * 3599] == 3599 * SECOND


async def test_a_stall_omits_nothing() -> None:
    """After a stall of half a second all overdue requests leave at once, with the moments they were due at."""
    clock = HandClock()
    clock.lateness[11] = 500 * MILLISECOND
    due, left = await _due(Pacer(100, SECOND, clock), clock)
    assert due == [number * 10 * MILLISECOND for number in range(100)]
    assert left[10:60] == [600 * MILLISECOND] * 50 + left[60:60]
    assert left[61:] == due[61:]


async def test_slow_answers_do_not_slow_the_requests() -> None:
    """Requests leave on time although none of those before has been answered."""
    clock = HandClock()
    answered = asyncio.Event()
    left: list[int] = []

    async def shot(due: int) -> None:
        left.append(due)
        await answered.wait()

    firing = asyncio.create_task(fire(Pacer(1000, SECOND, clock), clock.now(), asyncio.Event(), shot))
    await until(lambda: len(left) == 1000)
    assert not firing.done()
    answered.set()
    await firing


async def test_rate_zero_sends_nothing() -> None:
    """A rate of 0 means no requests of that kind."""
    clock = HandClock()
    assert await _due(Pacer(0, SECOND, clock), clock) == ([], [])


async def test_stopping_ends_the_schedule() -> None:
    """Once stop is set no further request leaves."""
    clock, stop = HandClock(), asyncio.Event()
    start, seen = clock.now(), 0
    async for _ in Pacer(10, 10 * SECOND, clock).ticks(start, stop):
        seen += 1
        if seen == 5:
            stop.set()
    assert seen == 5


async def test_the_real_clock_wakes_in_order_and_never_early() -> None:
    """Whoever waits for an earlier moment is woken first, and nobody before the moment."""
    clock = SystemClock()
    woken: list[int] = []
    begun = clock.now() + SECOND // 2  # all are waiting by then, also where the machine is busy

    async def wait(milliseconds: int) -> None:
        await clock.until(begun + milliseconds * MILLISECOND)
        assert time.monotonic_ns() >= begun + milliseconds * MILLISECOND  # measured: never early; late is fine
        woken.append(milliseconds)

    await asyncio.gather(*(wait(milliseconds) for milliseconds in (30, 10, 50, 20, 10, 40, -600)))
    clock.close()
    assert woken == [-600, 10, 10, 20, 30, 40, 50]


async def test_closing_the_clock_cancels_who_waits() -> None:
    """A task that waits for a closed clock ends as cancelled instead of hanging."""
    clock = SystemClock()
    waiting = asyncio.create_task(clock.until(clock.now() + 60 * SECOND))
    await asyncio.sleep(0)
    clock.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
