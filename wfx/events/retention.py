"""Retention: prunes old events, and has the store do its chores, in small steps."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Self

from wfx.config.tunables import Current, Tunables
from wfx.domain.errors import StoreError
from wfx.domain.timestamp import Timestamp
from wfx.store.protocol import Store

_MICROS = 1_000_000
_AT_ONCE = 500
_EARLIEST = -(2**63)
"""The earliest time that a store knows; a greatest age may reach further back."""
_logger = logging.getLogger(__name__)


def _now() -> Timestamp:
    return Timestamp(time.time_ns() // 1000)


class Retention:
    """How much of the log is kept, and the background task that keeps to it; an async context manager.

    It drops a few hundred events in a transaction and then pauses, so that writers never wait for it noticeably. In the
    same way it has the store drop what deleted jobs left behind.
    """

    def __init__(
        self,
        store: Store,
        tunables: Current[Tunables],
        *,
        interval: float = 60,
        pause: float = 0.05,
        now: Callable[[], Timestamp] = _now,
    ) -> None:
        """Keep as many events as the tunables say at most, and none that is older.

        What breaks either limit goes, every ``interval`` seconds, with ``pause`` seconds between transactions.
        """
        self._store = store
        self._tunables = tunables
        self._interval = interval
        self._pause = pause
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to prune in the background."""
        self._task = asyncio.create_task(self._run(), name="retention")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the task; leave before the store closes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def prune(self) -> int:
        """Drop all that need not be kept now, and return how many events that were. Raises StoreUnavailable."""
        return await self._in_pieces(self._prune_some)

    async def run_chores(self) -> int:
        """Have the store do all its chores, and return how much that was. Raises StoreUnavailable."""
        return await self._in_pieces(self._some_chores)

    async def _prune_some(self) -> int:
        tunables = self._tunables.current
        oldest = Timestamp(max(_EARLIEST, self._now() - int(tunables.events_max_age * _MICROS)))
        return await self._store.prune_log(keep_newest=tunables.events_keep, older_than=oldest, at_most=_AT_ONCE)

    async def _some_chores(self) -> int:
        return await self._store.run_chores(_AT_ONCE)

    async def _in_pieces(self, drop: Callable[[], Awaitable[int]]) -> int:
        dropped = 0
        while True:
            count = await drop()
            dropped += count
            if count < _AT_ONCE:
                return dropped
            await asyncio.sleep(self._pause)

    async def _run(self) -> None:
        while True:
            try:
                if dropped := await self.prune():
                    _logger.info("dropped %d old events from the log", dropped)
                if done := await self.run_chores():
                    _logger.info("dropped %d rows that deleted jobs had left behind", done)
            except StoreError as exc:
                _logger.warning("cannot drop what need not be kept, trying again later: %s", exc)
            except Exception:
                _logger.exception("dropping what need not be kept failed, trying again later")
            await asyncio.sleep(self._interval)
