"""Connections that are opened anew when they were lost, each for one use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar

import asyncpg

from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.faults import LOST, ConnectionLost, keeps_connection, translate

Plain: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Result = TypeVar("Result")
Open = Callable[[], Awaitable[Plain]]
"""Opens a connection and sets it up."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
"""Seconds without another attempt after one that failed; twice as many after each."""


async def _leave(_: Plain) -> None:
    """Need nothing of a new connection."""


class Connection:
    """One connection, for one statement at a time; those who come meanwhile wait."""

    def __init__(
        self, connect: Open, begin: Callable[[Plain], Awaitable[None]] = _leave, *, only_reads: bool = True
    ) -> None:
        """Open it when it is first used; ``begin`` is called with each new connection.

        One that ``only_reads`` is kept when a task that has used it is cancelled: the driver cancels the statement.
        """
        self._connect = connect
        self._begin = begin
        self._only_reads = only_reads
        self._plain: Plain | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self._pause = 0.0
        self._not_before = 0.0
        self._refusal: StoreUnavailable | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is open as far as is known."""
        return self._plain is not None and not self._plain.is_closed()

    @property
    def server_pid(self) -> int:
        """The number of the process that serves it; 0 if there is none."""
        return 0 if self._plain is None else self._plain.get_server_pid()

    async def run(self, work: Callable[[Plain], Awaitable[Result]]) -> Result:
        """Do something with it. Raises StoreUnavailable, StoreFull, DecideAgain, and what the work raises."""
        async with self.held() as plain:
            return await work(plain)

    async def read(self, work: Callable[[Plain], Awaitable[Result]]) -> Result:
        """Do something that changes nothing, once more if the connection turns out to have been lost before."""
        try:
            return await self.run(work)
        except ConnectionLost as exc:
            if isinstance(exc.__cause__, TimeoutError):
                raise
            return await self.run(work)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Plain]:
        """Have it for several statements; errors are those of :meth:`run`."""
        async with self._turn:
            plain = await self._opened()
            try:
                yield plain
            except Exception as exc:
                found = translate(exc)
                if not keeps_connection(found):
                    self._drop()
                if found is None:
                    raise
                raise found from exc
            except BaseException:
                if not self._only_reads:  # nobody knows what it still does
                    self._drop()
                raise

    async def close(self) -> None:
        """Close it for good."""
        self._closed = True
        async with self._turn:
            plain, self._plain = self._plain, None
            if plain is not None:
                with contextlib.suppress(asyncpg.PostgresError, *LOST):
                    await plain.close(timeout=5)

    def _drop(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.terminate()

    async def _opened(self) -> Plain:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._plain is not None and not self._plain.is_closed():
            return self._plain
        loop = asyncio.get_running_loop()
        if self._refusal is not None and loop.time() < self._not_before:
            raise StoreUnavailable(*self._refusal.args)
        self._plain = None
        try:
            plain = await self._connect()
            self._plain = plain
            await self._begin(plain)
        except Exception as exc:
            self._drop()
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._not_before = loop.time() + self._pause
            found = exc if isinstance(exc, StoreUnavailable) else translate(exc)
            if found is None:
                raise
            self._refusal = StoreUnavailable(*found.args)
            raise self._refusal from exc
        except BaseException:
            self._drop()
            raise
        self._pause, self._refusal = 0.0, None
        return plain


class Connections:
    """Some connections for the same use; each task gets one that is free."""

    def __init__(self, connect: Open, count: int) -> None:
        """Open each when it is first used."""
        self._all = [Connection(connect) for _ in range(count)]
        self._free = [*self._all]
        self._places = asyncio.Semaphore(count)

    @property
    def open_ones(self) -> int:
        """How many are open."""
        return sum(each.is_open for each in self._all)

    async def read(self, work: Callable[[Plain], Awaitable[Result]]) -> Result:
        """Do something that changes nothing with one of them, as by :meth:`Connection.read`."""
        async with self._places:
            chosen = self._free.pop()
            try:
                return await chosen.read(work)
            finally:
                self._free.append(chosen)

    async def close(self) -> None:
        """Close all for good."""
        for each in self._all:
            await each.close()
