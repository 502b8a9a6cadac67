"""Buckets in the memory of one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from wfx.limits.asks import Ask, Shortage, give_back_all, take_all
from wfx.limits.bucket import FULL, Bucket, full_at

MOST = 100_000
"""Buckets that are kept, each of about 500 bytes."""
_LOOKED_AT = 2
"""Old buckets that are looked at when a new one is added, so that more are forgotten than added."""


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

    def take(self, asks: Sequence[Ask]) -> Shortage | None:
        """Take a token of each bucket, or of none; return why none was taken, None if tokens were."""
        now = self._clock()
        changed, shortage = take_all(self._find, asks, now)
        for ask in asks:
            key = ask.key
            if key in changed:
                if key not in self._buckets:
                    self._make_room(now)
                self._buckets[key] = changed[key], full_at(changed[key], ask.bands)
                self._buckets.move_to_end(key)
            elif key in self._buckets:
                self._buckets.move_to_end(key)
        return shortage

    def give_back(self, asks: Sequence[Ask]) -> None:
        """Give a token back to each bucket that is kept; the others are full."""
        known = [ask for ask in asks if ask.key in self._buckets]
        changed = give_back_all(self._find, known, self._clock())
        self._buckets.update({ask.key: (changed[ask.key], full_at(changed[ask.key], ask.bands)) for ask in known})

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
