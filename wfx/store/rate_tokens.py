"""Tokens of buckets that all servers on one database share, for limits that hold for all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from wfx.domain.quota import Quota
from wfx.limits.bucket import Bucket
from wfx.limits.memory import Wait
from wfx.limits.policy import Ask


class Taken(NamedTuple):
    """What came of taking tokens from a bucket."""

    granted: int
    """How many of the wanted ones were there."""
    wait: float
    """Seconds until tokens come back."""


class SharedRateTokens(Protocol):
    """Where the buckets are kept."""

    async def take(self, wanted: Mapping[str, int], quota: Quota) -> Mapping[str, Taken]:
        """Take up to so many tokens from the bucket of each key, in one step and by one clock for all servers.

        See :class:`wfx.domain.quota.Bucket`. Raises StoreUnavailable.
        """


class SharedLimits(Protocol):
    """Where the buckets of limits are kept that have several bands (:mod:`wfx.limits`)."""

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Wait | None]:
        """For each in turn take a token of all its buckets, or of none; by one clock for all servers.

        Returns for each what is to be waited for, None if tokens were taken. Raises StoreUnavailable.
        """

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets, and the present time of their clock. Raises StoreUnavailable."""


class SharedTokens(SharedRateTokens, SharedLimits, Protocol):
    """Both."""
