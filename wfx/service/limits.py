"""Limits on how often work may begin: asks the buckets of the policy that the options say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from wfx.config.tunables import Derived, Holder, Tunables
from wfx.domain.errors import TooManyStarted
from wfx.limits.asks import Asks, LimitScope, Shortage
from wfx.limits.bucket import Band, Bucket, left, wait_for
from wfx.limits.policy import Kind, Policy
from wfx.service.buckets import Buckets
from wfx.store.buckets import BucketStore

NO_STORES: Mapping[str, BucketStore] = MappingProxyType({})
"""Of a server that shares buckets with no other one."""


class BandState(NamedTuple):
    """A limit as it is now."""

    kind: Kind
    scope: LimitScope
    band: Band
    left: int | None
    """Tokens that are left; None unless it was said whose."""
    wait: float
    """Seconds until there is a token."""


class Limits:
    """Gives tokens for work that begins; without limits it has nothing to do, and nobody has to ask."""

    def __init__(
        self,
        tunables: Holder[Tunables],
        stores: Mapping[str, BucketStore] = NO_STORES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use buckets in memory or in one of the stores; the clock gives seconds and never goes back."""
        self._tunables = tunables
        self._policy = Derived(tunables, policy_of)
        self._buckets = Buckets(stores, lambda: store_of(tunables.current), clock)
        self.taken, self.refused = Counter[tuple[Kind, LimitScope]](), Counter[tuple[Kind, LimitScope]]()
        """How often tokens were taken, and how often there was none; the latter of who waits longest."""

    def is_set(self, kind: Kind) -> bool:
        """Tell whether this kind of work has a limit."""
        return kind in self._policy.current.bands

    def interval(self, kind: Kind, scope: LimitScope) -> float:
        """Return the seconds from one token to the next, by the limit that gives them fastest."""
        bands = self._policy.current.bands.get(kind, {}).get(scope, ())
        return min((band.period / band.capacity for band in bands), default=0.0) / 1000

    async def take(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> float:
        """Take a token of every bucket of the work and return 0, or take none and return in how many seconds to ask."""
        shortage = await self.shortage(kind, client_id=client_id, workflow=workflow)
        return 0.0 if shortage is None else shortage.milliseconds / 1000

    async def shortage(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> Shortage | None:
        """Take a token of every bucket of the work and return nothing, or take none and return what is short."""
        asks = self._policy.current.asks(kind, client_id, workflow)
        if not asks:
            return None
        shortage = self._buckets.take(asks)
        if isinstance(shortage, Coroutine):
            shortage = await shortage
        self._note(kind, asks, shortage)
        return shortage

    async def require(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> None:
        """Take tokens for what a caller starts. Raises TooManyStarted."""
        if (shortage := await self.shortage(kind, client_id=client_id, workflow=workflow)) is not None:
            raise TooManyStarted(kind, shortage.scope, shortage.milliseconds / 1000)

    async def give_back(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> None:
        """Give a token back to every bucket of work that did not begin after all; it stays counted as taken."""
        if asks := self._policy.current.asks(kind, client_id, workflow):
            await self._buckets.give_back(asks)

    async def look(self, client_id: str = "", workflow: str = "") -> tuple[Sequence[BandState], str]:
        """Tell how the limits are, those of a client and a workflow if these are given; and what cannot be read."""
        policy = self._policy.current
        asks = {(kind, ask.scope): ask for kind in policy.bands for ask in policy.asks(kind, client_id, workflow)}
        states = []
        buckets, now, trouble = await self._buckets.look([ask.key for ask in asks.values()])
        found = dict(zip(asks, [(each, now) for each in buckets], strict=True))
        for kind, bands in policy.bands.items():
            for scope, each in bands.items():
                states += [_state(kind, scope, band, found.get((kind, scope))) for band in each]
        return states, trouble

    def _note(self, kind: Kind, asks: Asks, shortage: Shortage | None) -> None:
        if shortage is not None:
            self.refused[kind, shortage.scope] += 1
            return
        for ask in asks:
            self.taken[kind, ask.scope] += 1


def store_of(tunables: Tunables) -> str:
    """Return the name of the store that has the buckets of limits; empty for the memory of this process."""
    kind = tunables.sandbox_rate_limit_type
    return {"auto": "postgres", "memory": "", "bucket4j": ""}.get(kind, kind)


def policy_of(tunables: Tunables) -> Policy:
    """Read the policy; the options were checked."""
    items = {kind: getattr(tunables, f"sandbox_rate_limit_{kind.replace('-', '_')}") for kind in Kind}
    return Policy.parse(items)


def _state(kind: Kind, scope: LimitScope, band: Band, found: tuple[Bucket, int] | None) -> BandState:
    if found is None:
        return BandState(kind, scope, band, None, 0.0)
    return BandState(kind, scope, band, left(*found, band), wait_for(*found, band) / 1000)
