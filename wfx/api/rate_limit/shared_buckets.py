"""Buckets that all servers on one database share; while that does not answer, each server uses its own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from time import monotonic

from wfx.api.rate_limit.buckets import MemoryBuckets
from wfx.domain.errors import StoreError
from wfx.domain.quota import Quota
from wfx.store.rate_tokens import SharedRateTokens

_DEADLINE = 1.0
"""Seconds that a request waits for the database before the server's own bucket decides."""
_MOST_REFUSED = 10_000
"""Empty buckets that are remembered."""
_LONGEST_KEY = 64
Answer = asyncio.Future[float | None]
_Wanted = dict[Quota, defaultdict[str, list[Answer]]]


class SharedBuckets:
    """Asks for the tokens of all requests that have come while it was asking; see :class:`Buckets`.

    That a bucket is empty is remembered until tokens come back, so that who goes on costs the database nothing.
    """

    def __init__(self, tokens: SharedRateTokens, own: MemoryBuckets, clock: Callable[[], float] = monotonic) -> None:
        """Take tokens there, or from the ``own`` buckets; the clock gives seconds and never goes back."""
        self._tokens = tokens
        self._own = own
        self._clock = clock
        self._wanted: _Wanted = {}
        self._asking: asyncio.Task[None] | None = None
        self._empty_until: dict[tuple[str, Quota], float] = {}

    async def take(self, key: str, quota: Quota) -> float | None:
        """Take a token."""
        wait = self._empty_until.get((key, quota), 0.0) - self._clock()
        if wait > 0:
            return wait
        if len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):  # no address
            return self._own.take(key, quota)
        answer: Answer = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(quota, defaultdict(list))[key].append(answer)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(_DEADLINE):
                return await answer
        except (TimeoutError, StoreError):
            return self._own.take(key, quota)

    async def _ask(self) -> None:
        """Ask until nobody wants anything more."""
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                for quota, answers in wanted.items():
                    await self._ask_for(answers, quota)
        finally:
            self._asking = None

    async def _ask_for(self, answers: defaultdict[str, list[Answer]], quota: Quota) -> None:
        try:
            taken = await self._tokens.take({key: len(waiting) for key, waiting in answers.items()}, quota)
        except StoreError as exc:
            for waiting in answers.values():
                _settle(waiting, exc)
            return
        for key, waiting in answers.items():
            granted, wait = taken[key]
            _settle(waiting[:granted], None)
            if granted < len(waiting):
                _settle(waiting[granted:], max(wait, 0.0))
                self._remember(key, quota, wait)

    def _remember(self, key: str, quota: Quota, wait: float) -> None:
        if len(self._empty_until) >= _MOST_REFUSED:
            self._empty_until.clear()
        self._empty_until[key, quota] = self._clock() + wait


def _settle(waiting: Sequence[Answer], outcome: float | StoreError | None) -> None:
    for answer in waiting:
        if answer.done():  # it waited for too long
            continue
        if isinstance(outcome, StoreError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
