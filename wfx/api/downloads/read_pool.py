"""Threads that read files, so that a slow disk holds up downloads only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")
_MOST = 4


class ReadPool:
    """A few threads; what they are given waits in line, so that each of many downloads gets its turn."""

    def __init__(self) -> None:
        """Start none yet."""
        self._executor = ThreadPoolExecutor(_MOST, thread_name_prefix="wfx-download")

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a function in a thread; a caller that is cancelled does not wait for it."""
        return await asyncio.wrap_future(self._executor.submit(function, *arguments))

    async def acquire(
        self, function: Callable[..., Result], *arguments: object, release: Callable[[Result], object]
    ) -> Result:
        """Do the same, and hand a result that its caller does not wait for any more to ``release``."""
        waiting = asyncio.wrap_future(self._executor.submit(function, *arguments))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            waiting.add_done_callback(partial(_release, release))
            raise

    def begin(self, function: Callable[[], object]) -> None:
        """Call a function in a thread without waiting for it; at once if there are no threads any more."""
        try:
            self._executor.submit(function)
        except RuntimeError:  # closed
            function()

    def close(self) -> None:
        """End the threads that are idle; the others when they are done."""
        self._executor.shutdown(wait=False)


def _release(release: Callable[[Result], object], done: asyncio.Future[Result]) -> None:
    if not done.cancelled() and done.exception() is None:
        release(done.result())
