"""Connection for long reads, with a time limit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import aiosqlite

from wfx.store.sqlite.connection import inside

Result = TypeVar("Result")

_PAUSE = 0.01
"""Seconds between two calls to stop."""


class QueryConnection:
    """Runs one search at a time. One whose caller goes away is stopped, so that it keeps nobody waiting."""

    def __init__(self, connection: aiosqlite.Connection, *, alone: bool) -> None:
        """Use this connection. Only if nothing else uses it, ``alone``, is it safe to interrupt what it does."""
        self._connection = connection
        self._alone = alone
        self._turn = asyncio.Lock()

    async def run(self, search: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run the search inside the connection's thread when its turn has come."""
        ended = Event()

        def searching(plain: sqlite3.Connection) -> Result:
            try:
                return search(plain)
            finally:
                ended.set()

        async with self._turn:
            try:
                return await inside(self._connection, searching)
            except asyncio.CancelledError:
                if self._alone:
                    await self._stop(ended)
                raise

    async def _stop(self, ended: Event) -> None:
        # Again and again, because an interruption has no effect if it comes before or between the search's statements.
        while not ended.is_set():
            await self._connection.interrupt()
            await asyncio.sleep(_PAUSE)
