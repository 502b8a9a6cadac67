"""Pace of the rules: requests come first, so the rules rest in proportion to the time that they have taken.

While the event loop has others to serve, the rules take a tenth of it; the more they fall behind, the larger their
share, up to a half. While it has not, they go on after a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic, thread_time

SLICE = 0.002
"""Seconds of work after which it is time to rest."""
_RESTS, _RESTS_BEHIND = 9.0, 1.0
"""How many times as long as the work a rest is, up to so many events behind as _FEW, and from _MANY on."""
_FEW, _MANY = 5_000, 50_000
_GATHER = 0.05
"""Seconds of a rest at least, once nothing is left to do: what comes meanwhile is done together."""
_PROBE = 0.002
"""Seconds after which it is known whether others need the loop."""
_IDLE = 0.1
"""Share of the time that others may have taken of a loop that is called idle."""
_LONGEST = 1.0
Clock = Callable[[], float]


class Pace:
    """Counts the time that work takes, and rests."""

    def __init__(
        self,
        clock: Clock = monotonic,
        used: Clock = thread_time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Measure time by ``clock``, and by ``used`` the processor time of all that runs on the loop."""
        self.clock = clock
        self._used = used
        self._sleep = sleep
        self._worked = 0.0

    def note(self, seconds: float) -> None:
        """Count work."""
        self._worked += seconds

    @property
    def is_due(self) -> bool:
        """Whether it is time to rest."""
        return self._worked >= SLICE

    async def rest(self, behind: int) -> None:
        """Rest for the work since the last time; ``behind`` is how many events are left to do."""
        seconds = max(self._worked * rests(behind), 0 if behind else _GATHER)
        self._worked = 0.0
        seconds = min(seconds, _LONGEST)
        if not await self._is_idle(min(seconds, _PROBE)):
            await self._sleep(max(seconds - _PROBE, 0))

    async def _is_idle(self, seconds: float) -> bool:
        """Wait, and tell whether others have left most of that time."""
        began, used = self.clock(), self._used()
        await self._sleep(seconds)
        return self._used() - used < _IDLE * (self.clock() - began)


def rests(behind: int) -> float:
    """Return how many times as long as the work a rest is."""
    part = min(max(behind - _FEW, 0) / (_MANY - _FEW), 1)
    return _RESTS + part * (_RESTS_BEHIND - _RESTS)
