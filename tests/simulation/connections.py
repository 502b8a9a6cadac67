"""Connections whose jobs run on the loop instead of in threads, when the seed says, and whose commits fail at times.

They take the place of aiosqlite's: the store hands them whole functions to run (``wfx.store.sqlite.connection.inside``)
and cannot tell them from threads. As there, jobs of one connection run one after the other, a while passes before and
after each, and a job runs also if nobody waits for its result any longer.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

PAUSES = (0.0, 0.0, 0.0, 0.0001, 0.001, 0.02)
"""Seconds that the way into a thread, or out of it, takes."""


class Fault(Enum):
    """What becomes of a commit."""

    NONE = "committed"
    FULL = "the disk is full"
    FAILED = "failed, and nothing is there"
    UNCERTAIN = "failed, and all is there"
    LOST = "reported as committed, and nothing is there"
    """No disk that keeps to its word does this: it is here to prove that it would be found."""


LIKELY = (Fault.FULL, Fault.FAILED, Fault.UNCERTAIN)


class Faults:
    """Draws what becomes of each commit, once they are let loose."""

    def __init__(self, chance: random.Random, rate: float, kinds: tuple[Fault, ...]) -> None:
        """Let every so many-th commit fail, in one of these ways."""
        self._chance = chance
        self._rate = rate
        self._kinds = kinds
        self.loose = False
        self.drawn: list[Fault] = []

    def draw(self) -> Fault:
        """Say what becomes of the next commit."""
        fails = self.loose and self._chance.random() < self._rate
        fault = self._chance.choice(self._kinds) if fails else Fault.NONE
        self.drawn.append(fault)
        return fault


class Flaky(sqlite3.Connection):
    """A connection whose commits may fail."""

    faults: Faults

    def execute(self, sql: str, /, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement."""
        fault = self.faults.draw() if sql == "COMMIT" else Fault.NONE
        if fault is Fault.LOST:
            return super().execute("ROLLBACK")
        cursor = super().execute(sql, *parameters) if fault in (Fault.NONE, Fault.UNCERTAIN) else None
        if cursor is None or fault is Fault.UNCERTAIN:
            error = sqlite3.OperationalError(fault.value)
            error.sqlite_errorcode = sqlite3.SQLITE_FULL if fault is Fault.FULL else sqlite3.SQLITE_IOERR
            raise error
        return cursor


class Connection:
    """Stands in for :class:`aiosqlite.Connection`, as far as the store uses it."""

    def __init__(self, plain: sqlite3.Connection, chance: random.Random) -> None:
        """Run jobs on this connection."""
        self._plain: sqlite3.Connection | None = plain
        self._chance = chance
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._latest = 0.0
        """When the last answer is told: no later one overtakes it."""

    @property
    def _conn(self) -> sqlite3.Connection:
        if self._plain is None:
            raise ValueError("no active connection")
        return self._plain

    async def _execute(self, function: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((answer, partial(function, *args)))
        if len(self._waiting) == 1:
            loop.call_later(self._pause(), self._work)
        return await answer

    async def close(self) -> None:
        """Close after what waits; a second time does nothing."""
        if self._plain is not None:
            plain = self._plain
            await self._execute(plain.close)
            self._plain = None

    async def interrupt(self) -> None:
        """Do nothing: a job that runs on the loop is over before anybody could interrupt it."""

    def _work(self) -> None:
        loop = asyncio.get_running_loop()
        answer, job = self._waiting[0]
        settle: Callable[[], None]
        try:
            settle = partial(_settle, answer, job())
        except Exception as exc:  # noqa: BLE001 - it is for whoever waits, as with a thread
            settle = partial(_fail, answer, exc)
        self._latest = max(self._latest, loop.time() + self._pause())
        loop.call_at(self._latest, settle)
        self._waiting.popleft()
        if self._waiting:
            loop.call_later(self._pause(), self._work)

    def _pause(self) -> float:
        return self._chance.choice(PAUSES)


def _settle(answer: asyncio.Future[Any], result: Any) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def connector(chance: random.Random, faults: Faults) -> Callable[..., Any]:
    """Make what takes the place of :func:`aiosqlite.connect`."""

    async def connect(database: str, **options: Any) -> Connection:
        plain = sqlite3.connect(database, **options | {"factory": Flaky})
        plain.faults = faults
        return Connection(plain, chance)

    return connect
