"""Connections that are opened anew when they were lost, each for one use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias, TypeVar

import asyncpg

from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.faults import LOST, NO_ANSWER, ConnectionLost, Locked, keeps_connection, tell_unfit, translate

Plain: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Result = TypeVar("Result")
Open = Callable[[], Awaitable[Plain]]
"""Opens a connection and sets it up."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
"""Seconds without another attempt after one that failed; twice as many after each."""
FAREWELL = 1.0
"""Seconds that PostgreSQL may take to close a connection."""


class Connection:
    """One connection, for one statement at a time; those who come meanwhile wait.

    It is opened in the background: who needs it may give up waiting, and the next one waits for the same attempt. Once
    an attempt has failed, or PostgreSQL has not answered, nobody waits longer than ``known_down`` for the next attempt.
    """

    def __init__(
        self,
        connect: Open,
        begin: Callable[[Plain], Awaitable[None]] | None = None,
        *,
        known_down: float,
        seconds: float | None = None,
        writes: bool = False,
    ) -> None:
        """Open it when it is first used; ``begin`` is called with each new connection.

        Whoever uses it waits ``seconds`` at most, if nothing else is said, for the connection and for the answer. It is
        kept when a task that has used it is cancelled, as the driver cancels the statement, unless it ``writes``.
        """
        self._connect = connect
        self._begin = begin
        self._writes = writes
        self._seconds = seconds
        self._known_down = known_down
        self.plain: Plain | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self._opening: asyncio.Task[Plain] | None = None
        self._opening_since = 0.0
        self._pause = 0.0
        self._not_before = 0.0
        self._refusal: StoreUnavailable | None = None
        self._locked = ""
        """What the last one was told who waited for somebody's lock in vain; also what others wait behind."""
        self.waited_in_vain = False
        """Whether a statement was given up that waited for a lock, or for whatever it was; set back by others."""

    @property
    def is_open(self) -> bool:
        """Whether it is open as far as is known."""
        return self.plain is not None and not self.plain.is_closed()

    @property
    def server_pid(self) -> int:
        """The number of the process that serves it; 0 if there is none."""
        return 0 if self.plain is None else self.plain.get_server_pid()

    async def run(self, work: Callable[[Plain], Awaitable[Result]], until: float | None = None) -> Result:
        """Do something with it, until a moment of the loop's clock at most.

        Raises StoreUnavailable, StoreFull, DecideAgain, and what the work raises.
        """
        async with self.held(until) as plain:
            return await work(plain)

    async def read(self, work: Callable[[Plain], Awaitable[Result]], until: float | None = None) -> Result:
        """Do something that changes nothing, once more if the connection turns out to have been lost before."""
        until = self._latest(until)
        try:
            return await self.run(work, until)
        except ConnectionLost as exc:
            if isinstance(exc.__cause__, TimeoutError):
                raise
            return await self.run(work, until)

    @asynccontextmanager
    async def held(self, until: float | None = None) -> AsyncIterator[Plain]:
        """Have it for several statements; errors are those of :meth:`run`."""
        until = self._latest(until)
        async with self._having_turn(until):
            plain = await self._opened(until)
            try:
                async with asyncio.timeout_at(until):
                    yield plain
                self._locked = ""
            except Exception as exc:
                found = translate(exc)
                tell_unfit(found)
                self._locked = str(found) if isinstance(found, Locked) else ""
                if isinstance(found, Locked) or isinstance(exc, TimeoutError | asyncpg.QueryCanceledError):
                    self.waited_in_vain = True
                if not keeps_connection(found):
                    self.drop(found if isinstance(exc, TimeoutError) else None)
                if found is None:
                    raise
                raise found from exc
            except BaseException:
                if self._writes:  # nobody knows what it still does
                    self.drop()
                raise

    async def require(self, until: float) -> None:
        """Raise StoreUnavailable if it could not be opened when it was needed last, and cannot be opened now either."""
        if self._refusal is not None and not self._closed:
            await self.run(_nothing, until)

    async def close(self) -> None:
        """Close it for good."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        async with self._turn:
            plain, self.plain = self.plain, None
            if plain is not None:
                with contextlib.suppress(asyncpg.PostgresError, *LOST):
                    await plain.close(timeout=FAREWELL)

    def drop(self, reason: Exception | None = None) -> None:
        """Let go of the connection; ``reason`` is why the next one is not expected to come about soon, if so."""
        plain, self.plain = self.plain, None
        if plain is not None:
            plain.terminate()
        if reason is not None:
            self._refusal = StoreUnavailable(*reason.args)

    def _latest(self, until: float | None) -> float | None:
        if until is not None or self._seconds is None:
            return until
        return asyncio.get_running_loop().time() + self._seconds

    @asynccontextmanager
    async def _having_turn(self, until: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(until):
                await self._turn.acquire()
        except TimeoutError as exc:
            raise StoreUnavailable(self._locked or NO_ANSWER) from exc
        try:
            yield
        finally:
            self._turn.release()

    async def _opened(self, until: float | None) -> Plain:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._opening is None and self.plain is not None and not self.plain.is_closed():
            return self.plain
        loop = asyncio.get_running_loop()
        if self._opening is None:
            if self._refusal is not None and loop.time() < self._not_before:
                raise StoreUnavailable(*self._refusal.args)
            self._opening, self._opening_since = loop.create_task(self._open()), loop.time()
            self._opening.add_done_callback(_retrieve_exception)
        opening = self._opening
        if self._refusal is not None:
            soon = self._opening_since + self._known_down
            until = soon if until is None else min(soon, until)
        await asyncio.wait([opening], timeout=None if until is None else max(until - loop.time(), 0))
        if opening.done() and not opening.cancelled():
            return opening.result()
        self._refusal = self._refusal or StoreUnavailable(NO_ANSWER)
        raise StoreUnavailable(*self._refusal.args)

    async def _open(self) -> Plain:
        self.plain = None
        try:
            self.plain = plain = await self._connect()
            if self._begin is not None:
                await self._begin(plain)
        except Exception as exc:
            self.drop()
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._not_before = asyncio.get_running_loop().time() + self._pause
            found = exc if isinstance(exc, StoreUnavailable) else translate(exc)
            tell_unfit(found)
            if found is None:
                raise
            self._refusal = StoreUnavailable(*found.args)
            raise self._refusal from exc
        except BaseException:
            self.drop()
            raise
        finally:
            self._opening = None
        self._pause, self._refusal = 0.0, None
        return plain


async def _nothing(_: Plain) -> None:
    pass


def _retrieve_exception(opening: asyncio.Task[Plain]) -> None:
    """Mark the attempt's exception as seen, so that asyncio does not log it."""
    if not opening.cancelled():
        opening.exception()


class Connections:
    """Some connections for the same use, which may take long; each task gets one that is free."""

    def __init__(
        self, connect: Open, count: int, answering: Callable[[], AbstractAsyncContextManager[None]], known_down: float
    ) -> None:
        """Open each when it is first used; who has waited in ``answering`` for too long is told by a TimeoutError."""
        self.all = [Connection(connect, known_down=known_down) for _ in range(count)]
        self._free = [*self.all]
        self._places = asyncio.Semaphore(count)
        self._answering = answering

    @property
    def open_ones(self) -> int:
        """How many are open."""
        return sum(each.is_open for each in self.all)

    async def read(self, work: Callable[[Plain], Awaitable[Result]]) -> Result:
        """Do something that changes nothing with one of them, as by :meth:`Connection.read`."""
        try:
            async with self._answering():
                await self._places.acquire()
        except TimeoutError as exc:
            raise StoreUnavailable(NO_ANSWER) from exc
        chosen = self._free.pop()
        try:
            async with self._answering():
                return await chosen.read(work)
        except TimeoutError as exc:
            told = StoreUnavailable(NO_ANSWER)
            chosen.drop(told)
            raise told from exc
        finally:
            self._free.append(chosen)
            self._places.release()

    async def close(self) -> None:
        """Close all for good."""
        await asyncio.gather(*(each.close() for each in self.all))
