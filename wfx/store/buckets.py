"""Buckets that several servers share, for limits that hold for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wfx.limits.asks import Ask, Shortage
from wfx.limits.bucket import Bucket


class BucketStore(Protocol):
    """Where they are kept; by one clock for all servers."""

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        """For each in turn take a token of all its buckets, or of none.

        Returns for each why no token was taken, None if tokens were. Raises StoreUnavailable.
        """

    async def give_back(self, wanted: Sequence[Sequence[Ask]]) -> None:
        """For each give a token back to all its buckets. Raises StoreUnavailable."""

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets, and the present time of their clock in milliseconds. Raises StoreUnavailable."""
