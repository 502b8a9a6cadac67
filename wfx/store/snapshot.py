"""Snapshot of a store: what metrics and the pages under ``/debug`` ask it for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from wfx.domain.errors import StoreUnavailable
from wfx.store.figures import DatabaseFigures, JobCounts
from wfx.store.protocol import Consumer, LogBounds, Store

DEADLINE_SECONDS = 5.0
"""How long whoever asks waits, for its turn and for the answers of the store."""
SOON_SECONDS = 1.0
"""Seconds after which :meth:`Snapshots.known` returns the snapshot before."""
KNOWN_SECONDS = 60.0
"""How old that may be."""


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """What the store answered, one question after the other."""

    jobs: JobCounts
    consumers: Sequence[Consumer]
    bounds: LogBounds
    """Read after the positions of the consumers, so none of those is ahead of the head."""
    database: DatabaseFigures
    open_tasks: Mapping[str, int]
    """How many tasks wait or are running, by kind."""

    def lag(self, consumer: Consumer) -> int:
        """Return how many events a consumer of the snapshot is behind."""
        return self.bounds.head - consumer.position


class Snapshots:
    """Takes snapshots of one store, one after the other: the store counts all jobs for each."""

    def __init__(self, store: Store) -> None:
        """Ask this store."""
        self._store = store
        self._turn = asyncio.Lock()
        self._begun = 0
        self._latest: tuple[int, StoreSnapshot, float] | None = None
        """The last one, its number, and when it was taken."""
        self._taking: set[asyncio.Task[StoreSnapshot]] = set()
        """Attempts under way; they go on when nobody waits for them any more."""

    async def __aenter__(self) -> Self:
        """Begin with none."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End what nobody waits for any more; leave before the store closes."""
        for each in self._taking:
            each.cancel()
        await asyncio.gather(*self._taking, return_exceptions=True)

    async def take(self) -> StoreSnapshot:
        """Take one, or share one that began after this was called. Raises StoreError, also without answer in time."""
        before = self._begun
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._turn:
                if self._latest is None or self._latest[0] <= before:
                    self._begun = number = self._begun + 1
                    self._latest = number, await self._asked(), asyncio.get_running_loop().time()
                return self._latest[1]
        except TimeoutError as exc:
            raise StoreUnavailable(f"no answer within {DEADLINE_SECONDS:g} s") from exc

    async def known(self) -> StoreSnapshot:
        """Take one, or return one that is not old if that takes long. Raises StoreError if there is none."""
        loop = asyncio.get_running_loop()
        taking = loop.create_task(self.take())
        self._taking.add(taking)
        taking.add_done_callback(self._done)
        await asyncio.wait([taking], timeout=SOON_SECONDS)
        if taking.done() and not taking.cancelled() and taking.exception() is None:
            return taking.result()
        if self._latest is not None and loop.time() - self._latest[2] <= KNOWN_SECONDS:
            return self._latest[1]
        raise StoreUnavailable(f"no answer within {SOON_SECONDS:g} s")

    def _done(self, taking: asyncio.Task[StoreSnapshot]) -> None:
        self._taking.discard(taking)
        if not taking.cancelled():
            taking.exception()  # mark it as seen, so that asyncio does not log it

    async def _asked(self) -> StoreSnapshot:
        store = self._store
        return StoreSnapshot(
            await store.count_jobs(),
            await store.consumers(),
            await store.log_bounds(),
            await store.describe(),
            await store.count_open_tasks(),
        )
