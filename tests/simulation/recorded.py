"""A real store's log, and all that was ever on it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

from tests.store.backends import sqlite_of
from wfx.domain.job import Event
from wfx.domain.timestamp import Timestamp
from wfx.store.batching_store import BatchingStore
from wfx.store.protocol import KEPT_FOR_CONSUMERS, Consumer

_MOST = 1_000_000


class RecordedLog:
    """Reads events before they are pruned; see :class:`tests.events.world.Log`."""

    def __init__(self, store: BatchingStore, tables: sqlite3.Connection) -> None:
        """Begin with a log of which nothing was pruned. ``tables`` looks into the store's file without waiting."""
        self.store = store
        self._tables = tables
        self.log_id = sqlite_of(store)._writer.position.log_id
        self.events: list[Event] = []
        self._turn = asyncio.Lock()

    @property
    def head(self) -> int:
        """The newest sequence number that the store knows to be durable."""
        return sqlite_of(self.store)._writer.position.head

    @property
    def horizon(self) -> int:
        """The newest sequence number that the store knows to be pruned."""
        return sqlite_of(self.store)._writer.position.horizon

    @property
    def pruned(self) -> int:
        """The newest sequence number that was pruned; the store may not know yet."""
        return int(self._tables.execute("SELECT value FROM meta WHERE name = 'horizon'").fetchone()[0])

    async def record(self) -> None:
        """Read what is new."""
        self.events += await self.store.read_log(len(self.events), _MOST)

    async def run_chores(self, at_most: int) -> int:
        """Do as the store does."""
        return await self.store.run_chores(at_most)

    async def consumers(self) -> Sequence[Consumer]:
        """Return those of the store."""
        return await self.store.consumers()

    async def prune_log(
        self, *, keep_newest: int, older_than: Timestamp, at_most: int, keep_for_consumers: int = KEPT_FOR_CONSUMERS
    ) -> int:
        """Prune as the store does, but nothing that was not recorded."""
        async with self._turn:
            await self.record()
            known = len(self.events) - self.pruned
            return await self.store.prune_log(
                keep_newest=keep_newest,
                older_than=older_than,
                at_most=min(at_most, known),
                keep_for_consumers=keep_for_consumers,
            )
