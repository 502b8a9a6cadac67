"""Opens the configured store."""

from __future__ import annotations

import time

from wfx.store.backend_kinds import backend_kind
from wfx.store.batching import OnBatch, ignore_batch
from wfx.store.batching_store import BatchingStore
from wfx.store.plan import Clock
from wfx.store.protocol import Store
from wfx.store.storage_settings import DEFAULTS, StorageSettings


def system_clock() -> int:
    """Tell the time in microseconds since 1970 in UTC."""
    return max(time.time_ns() // 1000, 0)  # a clock that says less is wrong, and no time of a job can be


async def open_store(
    kind: str,
    option: str,
    settings: StorageSettings = DEFAULTS,
    *,
    clock: Clock = system_clock,
    on_batch: OnBatch = ignore_batch,
) -> Store:
    """Open the store of this kind (``--storage``) at the place that the option names (``--storage-opt``).

    ``on_batch`` observes the batches of changes.
    Raises StoreUnusable with a sentence for the operator.
    """
    return await BatchingStore.open(await backend_kind(kind).open(option, settings), clock, on_batch)
