"""Deadlines: how long who asks for something waits for PostgreSQL, and how it is found that it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wfx.domain.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What a request waits at most, and the parts of it, in seconds. Searches take longer while others are answered.

    What comes while another statement is waited for in vain waits for that, and then no longer than ``known_down``.
    """

    answer: float = 10.0

    @property
    def known_down(self) -> float:
        """How long to wait for a new connection once PostgreSQL did not answer."""
        return self.answer / 10

    @property
    def read(self) -> float:
        """For a read of single things, and for a change until what became of it counts as unknown."""
        return self.answer - self.known_down

    @property
    def load(self) -> float:
        """For the first part of a change, to read what it is decided on."""
        return 0.5 * self.answer

    @property
    def write(self) -> float:
        """For a change until it is asked what became of it."""
        return 0.7 * self.answer

    @property
    def grace(self) -> float:
        """How much longer this side waits than PostgreSQL may work on a statement."""
        return self.answer / 10

    @property
    def ping(self) -> float:
        """For the question whether PostgreSQL answers at all."""
        return 0.2 * self.answer

    @property
    def before_asking(self) -> float:
        """How long a search may take until PostgreSQL is asked whether it answers at all."""
        return 0.5 * self.answer

    @property
    def lock(self) -> float:
        """How long a statement may wait for a lock that others hold; a load takes longer, so the lock is named."""
        return 0.4 * self.answer


@asynccontextmanager
async def while_answering(ask: Callable[[], Awaitable[None]], interval: float) -> AsyncIterator[None]:
    """Raise TimeoutError in what takes longer than ``interval`` seconds when PostgreSQL does not answer otherwise."""
    loop = asyncio.get_running_loop()
    watching: list[asyncio.Task[None]] = []
    async with asyncio.timeout(None) as limit:
        begin = loop.call_later(interval, lambda: watching.append(loop.create_task(_watch(ask, interval, limit))))
        try:
            yield
        finally:
            begin.cancel()
            for each in watching:
                each.cancel()


async def _watch(ask: Callable[[], Awaitable[None]], interval: float, limit: asyncio.Timeout) -> None:
    try:
        while True:
            await ask()
            await asyncio.sleep(interval)
    except StoreUnavailable:
        limit.reschedule(asyncio.get_running_loop().time())
