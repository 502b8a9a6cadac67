"""Subscription of one client: a position on the log that moves as fast as the client reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from wfx.domain.errors import LogPositionError, StoreError
from wfx.events.framing import KEEP_ALIVE, EncodedEvent, Framing
from wfx.events.log_window import LogWindow
from wfx.events.query import EventQuery
from wfx.events.subscriber_index import SubscriberIndex

BOOKMARK_EVERY = 1000
"""A reader whom nothing concerns is told its position after this many events, or twice as many at the latest."""

_logger = logging.getLogger(__name__)


class Subscription:
    """A stream of bytes for one reader.

    It holds no events while it waits, only its place. Behind the recent events it reads the log from its place, so a
    slow reader loses nothing; a reader whose place was pruned is at its end.
    """

    def __init__(
        self, query: EventQuery, after: int, window: LogWindow, subscribers: SubscriberIndex, keep_alive: float
    ) -> None:
        """Stand after event ``after``. ``keep_alive`` is in seconds of silence; 0 means never."""
        self.filter = query.filter
        self.wants_bookmarks = query.since is not None
        self.interrupt: Callable[[], None] = lambda: None
        """Ends a send that does not get done; set by whoever sends."""
        self._window = window
        self._subscribers = subscribers
        self._framing = Framing(query.labels, f"{window.log_id}-" if self.wants_bookmarks else None)
        self._keep_alive = keep_alive
        self._cursor = after
        """Everything up to this event was sent or does not concern the reader."""
        self._told = after
        """The newest position that the reader was told."""
        self._fetched: Sequence[EncodedEvent] = ()
        self._silent = False
        self._last_sent = 0.0
        self._waiter: asyncio.Future[int] | None = None

    @property
    def lag(self) -> int:
        """How many events the reader is behind; 0 while it waits for some that concern it."""
        return 0 if self._waiter is not None else max(self._window.recent.head - self._cursor, 0)

    async def fetch(self) -> None:
        """Read the first events, so that a position that cannot be served is known before the stream begins.

        Raises BehindHorizon, NotOnThisLog, StoreUnavailable.
        """
        self._fetched = await self._window.after(self._cursor)

    async def chunks(self) -> AsyncGenerator[bytes | memoryview]:
        """Yield the stream's bytes, many events at once where many wait; whole blocks, but for huge events.

        Ends when the broker closes, or when the log cannot be read on from the reader's place.
        """
        loop = asyncio.get_running_loop()
        self._last_sent = loop.time()
        self._subscribers.join(self)
        try:
            if self.wants_bookmarks:
                yield self._framing.bookmark(self._told)
            while not self._window.ended:
                for chunk in await self._next():
                    yield chunk
                    self._last_sent = loop.time()
        except (LogPositionError, StoreError) as exc:
            _logger.warning("an event stream ends after event %d: %s", self._cursor, exc)
        finally:
            self._subscribers.leave(self)

    def wake(self, first: int) -> None:
        """See :class:`wfx.events.subscriber_index.Wakeable`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(first)

    def cut(self) -> None:
        """See :class:`wfx.events.subscriber_index.Wakeable`."""
        self.interrupt()

    async def _next(self) -> Iterable[bytes | memoryview]:
        batch, self._fetched = self._fetched or await self._window.after(self._cursor), ()
        if self._window.ended:
            return ()
        if batch:
            return self._frames(batch)
        await self._wait()
        return self._signs_of_life()

    def _frames(self, batch: Sequence[EncodedEvent]) -> Iterable[bytes | memoryview]:
        passing = [entry for entry in batch if self.filter.passes(entry.event)]
        self._cursor = batch[-1].seq
        yield from self._framing.chunks(passing)
        if passing:
            self._told = passing[-1].seq
        yield from self._signs_of_life()

    def _signs_of_life(self) -> Sequence[bytes]:
        """Tell the position if it went far without the reader, or else that the stream lives if it was silent."""
        skipped = self._cursor - self._told if self.wants_bookmarks else 0
        silent, self._silent = self._silent, False
        if skipped >= BOOKMARK_EVERY or (silent and skipped):
            self._told = self._cursor
            return (self._framing.bookmark(self._cursor),)
        return (KEEP_ALIVE,) if silent else ()

    async def _wait(self) -> None:
        """Wait at the head for news that may concern the reader, or for the silence to become too long."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(self._last_sent + self._keep_alive, self._break_silence) if self._keep_alive else None
        try:
            first = await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        self._cursor = max(self._cursor, first - 1)

    def _break_silence(self) -> None:
        """Come from the timer. What there is up to now does not concern the reader, or it would be awake."""
        if self._waiter is not None and not self._waiter.done():
            self._silent = True
            self.wake(self._window.recent.head + 1)
