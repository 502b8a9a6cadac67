"""The clock that paces a load test: monotonic nanoseconds, and waiting for a moment to within microseconds."""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import time
from itertools import count
from typing import Protocol

from wfx_loadtest.duration import SECOND

_TFD_TIMER_ABSTIME = 1


class Clock(Protocol):
    """What pacing needs of time; tests bring one that they move by hand."""

    def now(self) -> int:
        """Return monotonic nanoseconds; only differences mean something."""

    async def until(self, moment: int) -> None:
        """Return at the given moment of :meth:`now`, or at once when it has passed."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class SystemClock:
    """Linux's own timer (timerfd), watched by the running event loop.

    Event loops round their timers to milliseconds: asked for 1,000 wake-ups a second, uvloop woke up to 0.7 ms early or
    0.6 ms late, which is as much as a fast answer takes. This timer was 0.06 ms late (median of 3,000).
    """

    def __init__(self) -> None:
        """Open the timer on the running loop; close it with :meth:`close`."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "no timer")
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tiebreak = count()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._ring)

    def now(self) -> int:
        """See :class:`Clock`."""
        return time.monotonic_ns()

    async def until(self, moment: int) -> None:
        """See :class:`Clock`."""
        if moment <= self.now():
            return
        bell = self._loop.create_future()
        heapq.heappush(self._waiting, (moment, next(self._tiebreak), bell))
        if self._waiting[0][2] is bell:
            self._arm(moment)
        await bell

    def close(self) -> None:
        """Let go of the timer; whoever still waits is cancelled."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        for _, _, bell in self._waiting:
            bell.cancel()
        self._waiting.clear()

    def _arm(self, moment: int) -> None:
        setting = _Itimerspec(_Timespec(0, 0), _Timespec(*divmod(moment, SECOND)))
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(setting), None)

    def _ring(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # armed anew since it was reported: it will ring again
        now = self.now()
        while self._waiting and self._waiting[0][0] <= now:
            bell = heapq.heappop(self._waiting)[2]
            if not bell.done():
                bell.set_result(None)
        if self._waiting:
            self._arm(self._waiting[0][0])
