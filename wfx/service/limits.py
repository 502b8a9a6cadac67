"""Limits on how often work may begin: asks the buckets of the policy that the options say."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from wfx.config.tunables import Derived, Holder, Tunables
from wfx.domain.errors import TooManyStarted
from wfx.limits.bucket import Band, Bucket, left, wait_for
from wfx.limits.memory import MemoryBuckets, Wait
from wfx.limits.policy import Ask, Kind, Policy, Scope
from wfx.service.shared_limits import SharedLimitBuckets
from wfx.store.rate_tokens import SharedLimits

SHARED = "auto"
"""The type of buckets that servers share where they share a database."""


class BandState(NamedTuple):
    """A limit as it is now."""

    kind: Kind
    scope: Scope
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
        shared: SharedLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Use buckets in memory, or ``shared`` ones; the clock gives seconds and never goes back."""
        self._tunables = tunables
        self._policy = Derived(tunables, policy_of)
        self._sleep = sleep
        self._clock = clock
        self._shared = shared
        self._own = MemoryBuckets(self._now)
        self._asking = None if shared is None else SharedLimitBuckets(shared, self._own, self._now)
        self.taken, self.refused = Counter[tuple[Kind, Scope]](), Counter[tuple[Kind, Scope]]()
        """How often tokens were taken, and how often there was none; the latter of who waits longest."""

    def is_set(self, kind: Kind) -> bool:
        """Tell whether this kind of work has a limit."""
        return kind in self._policy.current.bands

    async def take(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> float:
        """Take a token of every bucket of the work and return 0, or take none and return in how many seconds to ask."""
        wait = await self._take(kind, client_id, workflow)
        return 0.0 if wait is None else wait.milliseconds / 1000

    async def require(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> None:
        """Take tokens for what a caller starts. Raises TooManyStarted."""
        if (wait := await self._take(kind, client_id, workflow)) is not None:
            raise TooManyStarted(kind, wait.scope, wait.milliseconds / 1000)

    async def admit(self, kind: Kind, *, client_id: str = "", workflow: str = "") -> None:
        """Wait for tokens for what was promised."""
        while wait := await self.take(kind, client_id=client_id, workflow=workflow):
            await self._sleep(wait)

    async def look(self, client_id: str = "", workflow: str = "") -> Sequence[BandState]:
        """Tell how the limits are, those of a client and a workflow if these are given. Raises StoreUnavailable."""
        policy = self._policy.current
        asks = {(kind, ask.scope): ask for kind in policy.bands for ask in policy.asks(kind, client_id, workflow)}
        states = []
        found = dict(zip(asks, await self._buckets([ask.key for ask in asks.values()]), strict=True))
        for kind, bands in policy.bands.items():
            for scope, each in bands.items():
                states += [_state(kind, scope, band, found.get((kind, scope))) for band in each]
        return states

    async def _buckets(self, keys: Sequence[str]) -> Sequence[tuple[Bucket, int]]:
        if self._shared is None or not self._shares or not keys:
            buckets, now = self._own.look(keys)
        else:
            buckets, now = await self._shared.look(keys)
        return [(each, now) for each in buckets]

    @property
    def _shares(self) -> bool:
        return self._tunables.current.sandbox_rate_limit_type == SHARED

    async def _take(self, kind: Kind, client_id: str, workflow: str) -> Wait | None:
        asks = self._policy.current.asks(kind, client_id, workflow)
        if not asks:
            return None
        if self._asking is not None and self._shares:
            wait = await self._asking.take(asks)
        else:
            wait = self._own.take(asks)
        self._note(kind, asks, wait)
        return wait

    def _note(self, kind: Kind, asks: Sequence[Ask], wait: Wait | None) -> None:
        if wait is not None:
            self.refused[kind, wait.scope] += 1
            return
        for ask in asks:
            self.taken[kind, ask.scope] += 1

    def _now(self) -> int:
        return int(self._clock() * 1000)


def policy_of(tunables: Tunables) -> Policy:
    """Read the policy; the options were checked."""
    items = {kind: getattr(tunables, f"sandbox_rate_limit_{kind.replace('-', '_')}") for kind in Kind}
    return Policy.parse(items)


def _state(kind: Kind, scope: Scope, band: Band, found: tuple[Bucket, int] | None) -> BandState:
    if found is None:
        return BandState(kind, scope, band, None, 0.0)
    return BandState(kind, scope, band, left(*found, band), wait_for(*found, band) / 1000)
