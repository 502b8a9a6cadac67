"""Buckets of limits that all servers on one database share; while that does not answer, each server uses its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfx.domain.errors import StoreError
from wfx.limits.memory import MemoryBuckets, Wait
from wfx.limits.policy import Ask
from wfx.store.rate_tokens import SharedLimits

_DEADLINE = 1.0
"""Seconds that somebody waits for the database before the server's own buckets decide."""
_MOST_REFUSED = 10_000
"""Waits that are remembered."""
_TOGETHER = 256
"""Those that are asked for in one transaction."""

Asks = tuple[Ask, ...]


class _Waiting(NamedTuple):
    asks: Asks
    answer: asyncio.Future[Wait | None]


class SharedLimitBuckets:
    """Asks for the tokens of all who have come while it was asking.

    That there are none is remembered until they come back, so that who goes on costs the database nothing.
    """

    def __init__(self, shared: SharedLimits, own: MemoryBuckets, clock: Callable[[], int]) -> None:
        """Take tokens there, or from the ``own`` buckets; the clock gives milliseconds and never goes back."""
        self._shared = shared
        self._own = own
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._asking: asyncio.Task[None] | None = None
        self._refused: dict[Asks, tuple[int, Wait]] = {}
        """Until when there is no token, and why."""

    async def take(self, asks: Asks) -> Wait | None:
        """Take a token of each bucket, or of none; return what is to be waited for, None if tokens were taken."""
        until, wait = self._refused.get(asks, (0, None))
        if wait is not None and (rest := until - self._clock()) > 0:
            return Wait(rest, wait.scope)
        answer: asyncio.Future[Wait | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asks, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(_DEADLINE):
                return await answer
        except (TimeoutError, StoreError):
            return self._own.take(asks)

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
            waits = await self._shared.take_all([each.asks for each in asked])
        except StoreError as exc:
            for each in asked:
                if not each.answer.done():
                    each.answer.set_exception(exc)
            return
        for (asks, answer), wait in zip(asked, waits, strict=True):
            if wait is not None:
                self._remember(asks, wait)
            if not answer.done():
                answer.set_result(wait)

    def _remember(self, asks: Asks, wait: Wait) -> None:
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[asks] = self._clock() + wait.milliseconds, wait
