"""Buckets where an option says: in the memory of this process, or where servers share them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from wfx.domain.errors import StoreError
from wfx.limits.asks import Asks, Shortage
from wfx.limits.bucket import Bucket
from wfx.limits.memory import MemoryBuckets
from wfx.service.shared_buckets import SharedBuckets
from wfx.store.buckets import BucketStore


class Look(NamedTuple):
    """State of some buckets."""

    buckets: Sequence[Bucket]
    now: int
    """The present time of their clock, in milliseconds."""
    trouble: str = ""
    """Why these are the buckets of this process, and not the shared ones; empty if they are what was asked for."""


class Buckets:
    """Takes tokens of buckets; when the option changes, the other buckets are used from then on."""

    def __init__(
        self, stores: Mapping[str, BucketStore], chosen: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        """Use the store with the ``chosen`` name, and memory if there is none; the clock gives seconds."""
        self._stores = stores
        self._chosen = chosen
        self._clock = clock
        self._own = MemoryBuckets(self._now)
        self._shared = {name: SharedBuckets(store, self._own, self._now) for name, store in stores.items()}

    def take(self, asks: Asks) -> Shortage | Coroutine[Any, Any, Shortage | None] | None:
        """Take a token of each bucket, or of none; return why none was taken, None if tokens were."""
        shared = self._shared.get(self._chosen())
        return self._own.take(asks) if shared is None else shared.take(asks)

    async def give_back(self, asks: Asks) -> None:
        """Give a token back to each bucket."""
        if (shared := self._shared.get(self._chosen())) is None:
            self._own.give_back(asks)
        else:
            await shared.give_back(asks)

    async def look(self, keys: Sequence[str]) -> Look:
        """Return buckets: those of this process if the shared ones cannot be read, since they are used then."""
        store, trouble = self._stores.get(self._chosen()), ""
        if store is not None and keys:
            try:
                return Look(*await store.look(keys))
            except StoreError as exc:
                trouble = f"shared buckets cannot be read, these are of this server alone: {exc}"
        return Look(*self._own.look(keys), trouble)

    def _now(self) -> int:
        return int(self._clock() * 1000)
