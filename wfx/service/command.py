"""Command: a change that is made before a moment, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from wfx.domain.errors import CommandTimedOut, StoreBusy

Subject = TypeVar("Subject")
Decision = TypeVar("Decision")
Result = TypeVar("Result")

_PAUSE = 0.25
"""Seconds from a refusal of a busy store to the next attempt."""


class Command:
    """A change that begins within some seconds, or is refused.

    It begins with its decision, or when it calls :meth:`begin`: that is the last step at which nothing has happened
    yet. Once it has begun it may be on disk, so its answer is waited for, however long that takes, unless the store
    says that it was too busy to do anything.
    """

    def __init__(self, seconds: float) -> None:
        """Give it so much time; 0 is any."""
        self._seconds = seconds
        self._is_over = False
        self._has_begun = False

    def begin(self) -> None:
        """Note that something may happen from now on. Raises CommandTimedOut."""
        self._require_time()
        self._has_begun = True

    def timed(self, decide: Callable[[Subject], Decision]) -> Callable[[Subject], Decision]:
        """Return a decision that begins the change, and is refused when its time is over."""
        return partial(self._decide, decide)

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Do the work, again while the store is busy. Raises CommandTimedOut if nothing has happened in time."""
        if not self._seconds:
            return await work()
        task = asyncio.create_task(self._attempts(work))
        try:
            await asyncio.wait([task], timeout=self._seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        self._is_over = True
        if not task.done() and not self._has_begun:
            task.cancel()
            raise CommandTimedOut(self._seconds)
        return await task

    async def _attempts(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        while True:
            try:
                return await work()
            except StoreBusy as exc:
                if self._is_over:
                    raise CommandTimedOut(self._seconds) from exc
                self._has_begun = False
            await asyncio.sleep(_PAUSE)

    def _decide(self, decide: Callable[[Subject], Decision], subject: Subject) -> Decision:
        self._require_time()
        decision = decide(subject)
        self._has_begun = True
        return decision

    def _require_time(self) -> None:
        if self._is_over:
            raise CommandTimedOut(self._seconds)
