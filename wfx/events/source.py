"""The log as its readers see it: the newest events from memory, older ones from the store."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.events.archive import Archive
from wfx.events.entry import Entry
from wfx.events.recent import RecentEvents
from wfx.store.protocol import LogBounds, Store

_BATCH_BYTES = 64 * 1024
"""What a reader takes at once, about."""


class Source:
    """One log, from its horizon to its head."""

    def __init__(self, store: Store, bounds: LogBounds) -> None:
        """Serve the store's log, with nothing in memory yet."""
        self.log_id = bounds.log_id
        self.recent = RecentEvents(bounds.head)
        self.archive = Archive(store)
        self.ended = False
        """Whether nothing will come any more, so that readers are to leave."""

    async def after(self, seq: int) -> Sequence[Entry]:
        """Return some of the events after ``seq``; none exactly if nothing newer was heard of.

        Raises what :meth:`wfx.store.protocol.Store.read_log` raises.
        """
        if seq >= self.recent.head:
            return ()
        if seq + 1 >= self.recent.first:
            return self.recent.after(seq, _BATCH_BYTES)
        return await self.archive.page(seq)
