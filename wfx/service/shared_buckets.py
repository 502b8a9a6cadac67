"""Buckets that servers share; while whoever keeps them does not answer, each server uses its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfx.domain.errors import StoreError, StoreUnavailable
from wfx.limits.asks import Asks, Shortage
from wfx.limits.memory import MemoryBuckets
from wfx.store.buckets import BucketStore

log = logging.getLogger(__name__)

_DEADLINE = 1.0
"""Seconds that somebody waits for an answer before the server's own buckets decide."""
_MOST_REFUSED = 10_000
"""Shortages that are remembered."""
_LONGEST_MEMORY = 60_000
"""Milliseconds until it is asked again, since all buckets may have been filled up there."""
_TOGETHER = 256
"""Those that are asked for at once."""


class _Waiting(NamedTuple):
    asks: Asks
    answer: asyncio.Future[Shortage | None]


class _Refused(NamedTuple):
    since: int
    shortage: Shortage


class SharedBuckets:
    """Asks for the tokens of all who have come while it was asking.

    That there are none is remembered until they come back, so that who goes on costs the other side nothing.
    """

    def __init__(self, shared: BucketStore, own: MemoryBuckets, clock: Callable[[], int]) -> None:
        """Take tokens there, or from the ``own`` buckets; the clock gives milliseconds and never goes back."""
        self._shared = shared
        self._own = own
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._asking: asyncio.Task[None] | None = None
        self._refused: dict[Asks, _Refused] = {}
        self._is_away = False

    async def take(self, asks: Asks) -> Shortage | None:
        """Take a token of each bucket, or of none; return why none was taken, None if tokens were."""
        if known := self._refused.get(asks):
            passed = self._clock() - known.since
            if passed < min(known.shortage.milliseconds, _LONGEST_MEMORY):
                return Shortage(known.shortage.milliseconds - passed, known.shortage.scope)
        answer: asyncio.Future[Shortage | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asks, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(_DEADLINE):
                found = await answer
        except (TimeoutError, StoreError) as exc:
            self._note_failure(str(exc) or "there is no answer")
            return self._own.take(asks)
        self._note_answer()
        return found

    async def give_back(self, asks: Asks) -> None:
        """Give a token back to each bucket."""
        try:
            async with asyncio.timeout(_DEADLINE):
                await self._shared.give_back([asks])
        except (TimeoutError, StoreError) as exc:
            self._note_failure(str(exc) or "there is no answer")
            self._own.give_back(asks)
        finally:
            self._refused.clear()  # not before: others may have found the buckets empty meanwhile

    async def _ask(self) -> None:
        """Ask until nobody waits any more."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                await self._ask_for([each for each in asked if not each.answer.done()])
        finally:
            self._asking = None

    async def _ask_for(self, asked: Sequence[_Waiting]) -> None:
        if not asked:
            return
        try:
            shortages = await self._shared.take_all([each.asks for each in asked])
        except Exception as exc:  # noqa: BLE001 - whatever it is, all who wait are told
            fault = exc if isinstance(exc, StoreError) else StoreUnavailable(f"{type(exc).__name__}: {exc}")
            for each in asked:
                if not each.answer.done():
                    each.answer.set_exception(fault)
            return
        for (asks, answer), shortage in zip(asked, shortages, strict=True):
            if shortage is not None:
                self._remember(asks, shortage)
            if not answer.done():
                answer.set_result(shortage)

    def _remember(self, asks: Asks, shortage: Shortage) -> None:
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[asks] = _Refused(self._clock(), shortage)

    def _note_failure(self, reason: str) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("shared buckets of limits cannot be used, so this server counts for itself: %s", reason)

    def _note_answer(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("shared buckets of limits are used again")
