"""Buckets of addresses: the protocol of where they are kept, and those in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from wfx.domain.quota import Bucket, Quota

MOST = 100_000
"""Buckets that are kept in memory; each takes about 300 bytes."""
_LOOKED_AT = 2
"""Old buckets that are looked at when a new one is added, so that more are forgotten than added."""


class Buckets(Protocol):
    """Where buckets are kept. Servers that share them share the limit."""

    def take(self, key: str, quota: Quota) -> float | Awaitable[float | None] | None:
        """Take a token from the bucket of a key in one step, by the clock of whoever keeps it; see `Bucket.take`.

        What is awaited ends in bounded time and does not raise: who cannot say lets the request pass.
        """


class MemoryBuckets:
    """Buckets in the memory of this process. When there are too many, the one used longest ago is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        """Keep at most this many buckets; the clock gives seconds and never goes back."""
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        """The one that was used longest ago comes first."""

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._buckets)

    def take(self, key: str, quota: Quota) -> float | None:
        """Take a token; see :class:`Buckets`."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            self._make_room(quota, now)
            bucket = self._buckets[key] = Bucket(now)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(quota, now)

    def _make_room(self, quota: Quota, now: float) -> None:
        for _ in range(_LOOKED_AT):
            oldest = next(iter(self._buckets.values()), None)
            if oldest is None or not (len(self._buckets) >= self._most or oldest.is_full(quota, now)):
                return
            self._buckets.popitem(last=False)
