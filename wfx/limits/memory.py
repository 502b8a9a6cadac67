"""Buckets in the memory of one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from wfx.limits.bucket import FULL, Bucket, full_at, take
from wfx.limits.policy import Ask, Scope

MOST = 100_000
"""Buckets that are kept, each of about 500 bytes."""
_LOOKED_AT = 2
"""Old buckets that are looked at when a new one is added, so that more are forgotten than added."""


class Wait(NamedTuple):
    """Why no token was taken."""

    milliseconds: int
    """How long to wait for the bucket that takes longest."""
    scope: Scope
    """Who shares that."""


def take_all(
    buckets: Callable[[str], Bucket], asks: Sequence[Ask], now: int
) -> tuple[Mapping[str, Bucket], Wait | None]:
    """Take a token of each bucket, or of none if one lacks it.

    Returns the buckets that have changed, and what is to be waited for; None if tokens were taken.
    """
    taken = [take(buckets(ask.key), ask.bands, now) for ask in asks]
    waits = [Wait(each.wait, ask.scope) for ask, each in zip(asks, taken, strict=True) if each.wait]
    longest = max(waits, key=itemgetter(0), default=None)
    changed = {ask.key: each.bucket for ask, each in zip(asks, taken, strict=True) if each.wait or longest is None}
    return {key: bucket for key, bucket in changed.items() if bucket != buckets(key)}, longest


class MemoryBuckets:
    """Buckets by their keys. When there are too many, the one used longest ago is forgotten, as if it were full."""

    def __init__(self, clock: Callable[[], int], most: int = MOST) -> None:
        """Keep at most this many; the clock gives milliseconds and never goes back."""
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[Bucket, int]] = OrderedDict()
        """Each with the time at which it is full again; the one that was used longest ago comes first."""

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._buckets)

    def take(self, asks: Sequence[Ask]) -> Wait | None:
        """Take a token of each bucket, or of none; return what is to be waited for, None if tokens were taken."""
        now = self._clock()
        changed, wait = take_all(self._find, asks, now)
        for key, bands in ((ask.key, ask.bands) for ask in asks if ask.key in changed):
            if key not in self._buckets:
                self._make_room(now)
            self._buckets[key] = changed[key], full_at(changed[key], bands)
            self._buckets.move_to_end(key)
        return wait

    def look(self, keys: Iterable[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets, and the present time."""
        return [self._find(key) for key in keys], self._clock()

    def _find(self, key: str) -> Bucket:
        return self._buckets.get(key, (FULL, 0))[0]

    def _make_room(self, now: int) -> None:
        for _ in range(_LOOKED_AT):
            oldest = next(iter(self._buckets.values()), None)
            if oldest is None or not (len(self._buckets) >= self._most or oldest[1] <= now):
                return
            self._buckets.popitem(last=False)
