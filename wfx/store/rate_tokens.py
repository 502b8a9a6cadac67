"""Tokens of buckets that all servers on one database share, for limits that hold for all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from wfx.domain.quota import Quota


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
