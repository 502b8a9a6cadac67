"""The newest events, kept in memory so that readers who are up to date need no store."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from wfx.events.entry import Entry

MOST_EVENTS = 4096
MOST_BYTES = 16 * 1024 * 1024


class RecentEvents:
    """A bounded run of the newest events, without gaps; the very newest is kept whatever its size."""

    def __init__(self, head: int) -> None:
        """Begin after event ``head`` with nothing in memory."""
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self.head = head
        """The newest sequence number that was heard of."""

    @property
    def first(self) -> int:
        """The oldest sequence number in memory; ``head + 1`` when there is none."""
        return self.head + 1 - len(self._entries)

    def append(self, entry: Entry) -> None:
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

    def after(self, seq: int, max_bytes: int) -> Sequence[Entry]:
        """Return the events after ``seq`` until they make up ``max_bytes`` or more; ``seq + 1`` must be in memory."""
        found: list[Entry] = []
        size = 0
        for index in range(seq + 1 - self.first, len(self._entries)):
            entry = self._entries[index]
            found.append(entry)
            size += len(entry.head)
            if size >= max_bytes:
                break
        return found
