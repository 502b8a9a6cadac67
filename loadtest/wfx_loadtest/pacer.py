"""Open-loop pacing: requests leave when the schedule says so, however slow the answers are.

A generator that waits for an answer before it sends the next request stops asking just when the service is slow, and so
leaves the worst out of its figures (coordinated omission). Here the schedule is fixed before the first request, a late
wake-up sends what is overdue at once, and every latency counts from the scheduled moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from wfx_loadtest.clock import Clock
from wfx_loadtest.duration import SECOND

Shot = Callable[[int], Coroutine[Any, Any, None]]
"""Sends the request that is due at the given moment."""


class Pacer:
    """A constant rate for a while."""

    def __init__(self, rate: int, duration: int, clock: Clock) -> None:
        """Plan ``rate`` requests a second (0: none at all) for ``duration`` nanoseconds."""
        self.total = rate * duration // SECOND
        self._rate = rate
        self._clock = clock

    def due(self, start: int, number: int) -> int:
        """Return when request ``number`` (from 0) is to be sent; computed from the start, so errors do not add up."""
        return start + number * SECOND // self._rate

    async def ticks(self, start: int, stop: asyncio.Event) -> AsyncIterator[int]:
        """Yield the due moment of each request as it comes; overdue ones at once, none is left out; until ``stop``."""
        for number in range(self.total):
            due = self.due(start, number)
            await self._clock.until(due)
            if stop.is_set():
                return
            yield due


async def fire(pacer: Pacer, start: int, stop: asyncio.Event, shot: Shot) -> None:
    """Start ``shot(due)`` at each tick without waiting for the one before; return when all have ended."""
    async with asyncio.TaskGroup() as shots:
        async for due in pacer.ticks(start, stop):
            shots.create_task(shot(due))
