"""Cache of pages of older events, shared by subscribers at the same position."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from wfx.events.framing import EncodedEvent
from wfx.store.protocol import Store

_MOST_EVENTS = 64
_TARGET_BYTES = 64 * 1024
_MOST_BYTES = 1024 * 1024
"""Bytes of a page at most, but for a single event that has more."""
_READS_AT_ONCE = 2


class LogPage(list[EncodedEvent]):
    """A run of consecutive events; it stays in memory as long as any reader holds it.

    A list because tuples cannot be referred to weakly; nobody changes it.
    """

    @property
    def size(self) -> int:
        """How many bytes the events have when they are shown."""
        return sum(len(entry.head) for entry in self)


class LogPages:
    """Reads the log's past.

    Events never change, so one page serves every reader who asks for it while anybody still holds it: many readers that
    are stuck at one huge event hold it once. Pages end at multiples of their size, so readers that began at different
    places soon ask for the same pages. Their size follows the events' sizes, to keep what a slow reader holds small.
    """

    def __init__(self, store: Store) -> None:
        """Read from this store."""
        self._store = store
        self._pages: WeakValueDictionary[int, LogPage] = WeakValueDictionary()
        self._reads: dict[int, asyncio.Task[LogPage]] = {}
        self._turns = asyncio.Semaphore(_READS_AT_ONCE)
        self._events_a_page = _MOST_EVENTS

    async def page(self, after: int) -> LogPage:
        """Return some of the events after ``after``, at least one unless ``after`` is the head.

        Raises what :meth:`wfx.store.protocol.Store.read_log` raises.
        """
        page = self._pages.get(after)
        if page is not None:
            return page
        read = self._reads.get(after)
        if read is None:
            read = self._reads[after] = asyncio.create_task(self._read(after), name=f"read-log-{after}")
            read.add_done_callback(lambda done: self._finished(after, done))
        # The read belongs to everybody who waits for it: one of them going away must not end it.
        return await asyncio.shield(read)

    def _finished(self, after: int, read: asyncio.Task[LogPage]) -> None:
        self._reads.pop(after, None)
        if not read.cancelled():
            read.exception()  # Its readers may be gone already: then nobody else would look at it.

    async def _read(self, after: int) -> LogPage:
        async with self._turns:
            wanted = self._events_a_page - after % self._events_a_page
            page = LogPage(map(EncodedEvent, await self._store.read_log(after, wanted, _MOST_BYTES)))
        self._adapt(page)
        if page:
            self._pages[after] = page
        return page

    def _adapt(self, page: LogPage) -> None:
        """Halve or double the page size; powers of two keep the pages' ends aligned."""
        if page.size > 2 * _TARGET_BYTES:
            too_large = page.size // _TARGET_BYTES
            self._events_a_page = max(1, self._events_a_page >> too_large.bit_length() - 1)
        elif 4 * page.size < _TARGET_BYTES and len(page) >= self._events_a_page // 2:
            self._events_a_page = min(_MOST_EVENTS, 2 * self._events_a_page)

    async def close(self) -> None:
        """End the reads that are under way."""
        reads = list(self._reads.values())
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
