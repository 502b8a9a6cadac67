"""Runners of tasks together: each has its kinds and its places, so what one of them waits for holds up no other."""

from __future__ import annotations

import asyncio
from typing import Self

from wfx.tasks.counts import TaskCounts
from wfx.tasks.runner import TaskRunner


class TaskRunners:
    """Begin and end together; an asynchronous context manager."""

    def __init__(self, counts: TaskCounts, *runners: TaskRunner) -> None:
        """Take runners whose attempts are counted there."""
        self.counts = counts
        """What this process has done."""
        self._runners = runners

    async def __aenter__(self) -> Self:
        """Begin in the background."""
        for runner in self._runners:
            await runner.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End, all at the same time, also if one of them raises; leave before the store closes."""
        ends = [runner.__aexit__(*exc_info) for runner in self._runners]
        for outcome in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def wake(self) -> None:
        """Look for tasks now, since some were written."""
        for runner in self._runners:
            runner.wake()

    def hurry(self) -> None:
        """Check again what may begin, since limits have changed."""
        for runner in self._runners:
            runner.hurry()
