"""Command: a change that is made before a moment, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from wfx.domain.errors import CommandTimedOut

Subject = TypeVar("Subject")
Decision = TypeVar("Decision")
Result = TypeVar("Result")


class Command(Generic[Subject, Decision]):
    """A change whose decision is taken within some seconds, or refused.

    A decision is the last step at which nothing has happened yet. Once it is taken the change may be on disk, so its
    answer is waited for, however long that takes.
    """

    def __init__(self, seconds: float) -> None:
        """Give it so much time."""
        self._seconds = seconds
        self._is_over = False
        self._has_begun = False

    async def run(
        self,
        decide: Callable[[Subject], Decision],
        work: Callable[[Callable[[Subject], Decision]], Coroutine[Any, Any, Result]],
    ) -> Result:
        """Do the work with a decision that ends with the time. Raises CommandTimedOut if nothing has happened then."""
        task = asyncio.create_task(work(partial(self._decide, decide)))
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

    def _decide(self, decide: Callable[[Subject], Decision], subject: Subject) -> Decision:
        if self._is_over:
            raise CommandTimedOut(self._seconds)
        decision = decide(subject)
        self._has_begun = True
        return decision
