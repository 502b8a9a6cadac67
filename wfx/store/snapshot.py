"""Snapshot of a store: what metrics and the pages under ``/debug`` ask it for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from wfx.domain.errors import StoreUnavailable
from wfx.store.figures import DatabaseFigures, JobCounts
from wfx.store.protocol import Consumer, LogBounds, Store

DEADLINE_SECONDS = 5.0
"""How long the store may take for all of it."""


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """What the store answered, one question after the other."""

    jobs: JobCounts
    consumers: Sequence[Consumer]
    bounds: LogBounds
    """Read after the positions of the consumers, so none of those is ahead of the head."""
    database: DatabaseFigures

    def lag(self, consumer: Consumer) -> int:
        """Return how many events a consumer of the snapshot is behind."""
        return self.bounds.head - consumer.position


async def take_snapshot(store: Store) -> StoreSnapshot:
    """Ask a store. Raises StoreError, also if it does not answer in time."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return StoreSnapshot(
                await store.count_jobs(), await store.consumers(), await store.log_bounds(), await store.describe()
            )
    except TimeoutError as exc:
        raise StoreUnavailable(f"no answer within {DEADLINE_SECONDS:g} s") from exc
