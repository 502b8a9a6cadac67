"""Upkeep of a store: a background task that drops, in small steps, what need not be kept."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar, Self

from wfx.domain.errors import StoreError
from wfx.domain.timestamp import Timestamp

AT_ONCE = 500
"""How much is dropped in one transaction at most."""


def present() -> Timestamp:
    """Tell the time."""
    return Timestamp(time.time_ns() // 1000)


class Upkeep(ABC):
    """The task; an async context manager. It pauses between transactions, so that writers never wait noticeably."""

    name: ClassVar[str]
    """Of the task."""
    cannot: ClassVar[str]
    """Message of the log for a turn that the store cannot do; the reason follows."""
    failed: ClassVar[str]
    """Message for a turn that failed unexpectedly."""

    def __init__(self, interval: float, pause: float, now: Callable[[], Timestamp]) -> None:
        """Take a turn every ``interval`` seconds, with ``pause`` seconds between its transactions."""
        self._interval = interval
        self._pause = pause
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name=self.name)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the task; leave before the store closes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @abstractmethod
    async def take_turn(self) -> None:
        """Drop all that need not be kept now. Raises StoreError."""

    async def _in_pieces(self, drop: Callable[[int], Awaitable[int]]) -> int:
        """Have :data:`AT_ONCE` dropped at most, until it is less; return how much was dropped in all."""
        dropped = 0
        while True:
            count = await drop(AT_ONCE)
            dropped += count
            if count < AT_ONCE:
                return dropped
            await asyncio.sleep(self._pause)

    async def _run(self) -> None:
        logger = logging.getLogger(type(self).__module__)
        while True:
            try:
                await self.take_turn()
            except StoreError as exc:
                logger.warning("%s: %s", self.cannot, exc)
            except Exception:
                logger.exception(self.failed)
            await asyncio.sleep(self._interval)
