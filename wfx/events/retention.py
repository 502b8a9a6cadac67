"""Retention: prunes old events, and has the store do its chores, in small steps."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from wfx.config.tunables import Current, Tunables
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.store.protocol import KEPT_FOR_CONSUMERS, Store
from wfx.store.upkeep import Upkeep, present

_EARLIEST = -(2**63)
"""The earliest time that a store knows; a greatest age may reach further back."""
_logger = logging.getLogger(__name__)


class Retention(Upkeep):
    """How much of the log is kept, and the background task that keeps to it; an async context manager.

    It drops a few hundred events in a transaction and then pauses, so that writers never wait for it noticeably. In the
    same way it has the store drop what deleted jobs left behind.
    """

    name = "retention"
    cannot = "cannot drop what need not be kept, trying again later"
    failed = "dropping what need not be kept failed, trying again later"

    def __init__(
        self,
        store: Store,
        tunables: Current[Tunables],
        *,
        interval: float = 60,
        pause: float = 0.05,
        keep_for_consumers: int = KEPT_FOR_CONSUMERS,
        lost: Counter[str] | None = None,
        now: Callable[[], Timestamp] = present,
    ) -> None:
        """Keep as many events as the tunables say at most, and none that is older.

        What breaks either limit goes, every ``interval`` seconds, with ``pause`` seconds between transactions. Of the
        newest ``keep_for_consumers`` events those stay that a consumer of the log is not done with; ``lost`` counts, by
        consumer, those that went before it was.
        """
        super().__init__(interval, pause, now)
        self._store = store
        self._tunables = tunables
        self._keep_for_consumers = keep_for_consumers
        self._known_losses: dict[str, int] | None = None
        self._lost = Counter[str]() if lost is None else lost

    async def take_turn(self) -> None:
        """Prune, and have the store do its chores. Raises StoreUnavailable."""
        if dropped := await self.prune():
            _logger.info("dropped %d old events from the log", dropped)
        if done := await self.run_chores():
            _logger.info("did what the store had put off, of %d rows", done)

    async def prune(self) -> int:
        """Drop all that need not be kept now, and return how many events that were. Raises StoreUnavailable."""
        await self._note_losses()
        dropped = await self._in_pieces(self._prune_some)
        if dropped:
            await self._note_losses()
        return dropped

    async def run_chores(self) -> int:
        """Have the store do all its chores, and return how much that was. Raises StoreUnavailable."""
        return await self._in_pieces(self._store.run_chores)

    async def _prune_some(self, at_most: int) -> int:
        tunables = self._tunables.current
        oldest = Timestamp(max(_EARLIEST, self._now() - int(tunables.events_max_age * SECOND)))
        return await self._store.prune_log(
            keep_newest=tunables.events_keep,
            older_than=oldest,
            at_most=at_most,
            keep_for_consumers=self._keep_for_consumers,
        )

    async def _note_losses(self) -> None:
        """Count what consumers have lost since the last call, and warn of it."""
        losses = {consumer.name: consumer.lost for consumer in await self._store.consumers()}
        known, self._known_losses = self._known_losses, losses
        if known is None:
            return
        for name, lost in losses.items():
            if more := lost - known.get(name, 0):
                self._lost[name] += more
                _logger.warning("consumer '%s' was too slow: %d events were pruned before it had read them", name, more)
