"""Opens the configured store."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from wfx.domain.errors import StoreUnusable
from wfx.store.backend import Backend
from wfx.store.batching import OnBatch, ignore_batch
from wfx.store.batching_store import BatchingStore
from wfx.store.plan import Clock
from wfx.store.protocol import Store
from wfx.store.sqlite.opening import open_backend

_KINDS: dict[str, Callable[[str], Awaitable[Backend]]] = {"sqlite": open_backend}


def system_clock() -> int:
    """Tell the time in microseconds since 1970 in UTC."""
    return max(time.time_ns() // 1000, 0)  # a clock that says less is wrong, and no time of a job can be


async def open_store(kind: str, option: str, *, clock: Clock = system_clock, on_batch: OnBatch = ignore_batch) -> Store:
    """Open the store of this kind (``--storage``) at the place that the option names (``--storage-opt``).

    ``on_batch`` observes the batches of changes.
    Raises StoreUnusable with a sentence for the operator.
    """
    opener = _KINDS.get(kind)
    if opener is None:
        raise StoreUnusable(f"unknown storage '{kind}'; known: {', '.join(sorted(_KINDS))}")
    return await BatchingStore.open(await opener(option), clock, on_batch)
