"""The log as subscriptions read it: the newest events from memory, older ones from the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from wfx.events.framing import EncodedEvent
from wfx.events.log_pages import LogPages
from wfx.store.protocol import LogBounds, Store

MOST_EVENTS = 4096
MOST_BYTES = 16 * 1024 * 1024


class RecentWindow:
    """A bounded run of the newest events, without gaps; the very newest is kept whatever its size."""

    def __init__(self, head: int) -> None:
        """Begin after event ``head`` with nothing in memory."""
        self._entries: deque[EncodedEvent] = deque()
        self._bytes = 0
        self.head = head
        """The newest sequence number that was heard of."""

    @property
    def first(self) -> int:
        """The oldest sequence number in memory; ``head + 1`` when there is none."""
        return self.head + 1 - len(self._entries)

    def append(self, entry: EncodedEvent) -> None:
        """Take in the event after the head, and let go of what no longer fits."""
        assert entry.seq == self.head + 1, "events come without gaps"
        self._entries.append(entry)
        self._bytes += len(entry.head)
        self.head = entry.seq
        while len(self._entries) > MOST_EVENTS or (self._bytes > MOST_BYTES and len(self._entries) > 1):
            self._bytes -= len(self._entries.popleft().head)

    def skip_to(self, head: int) -> None:
        """Forget everything and go on after event ``head``."""
        self._entries.clear()
        self._bytes = 0
        self.head = head

    def after(self, seq: int, max_bytes: int) -> Sequence[EncodedEvent]:
        """Return the events after ``seq`` until they make up ``max_bytes`` or more; ``seq + 1`` must be in memory."""
        found: list[EncodedEvent] = []
        size = 0
        for index in range(seq + 1 - self.first, len(self._entries)):
            entry = self._entries[index]
            found.append(entry)
            size += len(entry.head)
            if size >= max_bytes:
                break
        return found


_BATCH_BYTES = 64 * 1024
"""What a reader takes at once, about."""


class LogWindow:
    """One log, from its horizon to its head."""

    def __init__(self, store: Store, bounds: LogBounds) -> None:
        """Serve the store's log, with nothing in memory yet."""
        self.log_id = bounds.log_id
        self.recent = RecentWindow(bounds.head)
        self.archive = LogPages(store)
        self.ended = False
        """Whether nothing will come any more, so that readers are to leave."""

    async def after(self, seq: int) -> Sequence[EncodedEvent]:
        """Return some of the events after ``seq``; none exactly if nothing newer was heard of.

        Raises what :meth:`wfx.store.protocol.Store.read_log` raises.
        """
        if seq >= self.recent.head:
            return ()
        if seq + 1 >= self.recent.first:
            return self.recent.after(seq, _BATCH_BYTES)
        return await self.archive.page(seq)
