"""Broker: follows the store's log and serves all subscriptions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from wfx.domain.errors import BehindHorizon, LogPositionError, StoreError
from wfx.domain.job import Event
from wfx.events.change_log import ChangeLog
from wfx.events.framing import EncodedEvent
from wfx.events.log_window import LogWindow
from wfx.events.page import EventPage, read_page
from wfx.events.position import NOW
from wfx.events.query import EventQuery
from wfx.events.subscriber_index import SubscriberIndex
from wfx.events.subscription import BOOKMARK_EVERY, Subscription
from wfx.store.protocol import LogBounds, Store

_READ_EVENTS = 256
_READ_BYTES = 4 * 1024 * 1024
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class Broker:
    """Fans the log out to any number of readers. Open it before the first subscription; close it before the store.

    It keeps some of the newest events in memory and nothing for each reader but a place, so readers cost little while
    they wait and cannot fill the memory when they are slow.
    """

    def __init__(self, store: Store) -> None:
        """Serve this store's log."""
        self._store = store
        self._subscribers = SubscriberIndex()
        self._change_log = ChangeLog()
        self._open_window: LogWindow | None = None
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """How many readers were given up because they did not read."""

    @property
    def subscribers(self) -> int:
        """How many streams run now."""
        return len(self._subscribers)

    @property
    def worst_lag(self) -> int:
        """How many events the reader is behind that is furthest behind; 0 if none is."""
        return max((subscriber.lag for subscriber in self._subscribers), default=0)

    @property
    def head(self) -> int:
        """The newest event that was taken from the log, to be offered to the readers."""
        return self._window.recent.head

    async def open(self) -> None:
        """Begin to follow the log from its head. Raises StoreUnavailable."""
        self._open_window = LogWindow(self._store, await self._store.log_bounds())
        self._task = asyncio.create_task(self._run(), name="follow-log")

    async def close(self) -> None:
        """End all streams: at once between two blocks, by force where a reader does not read."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._change_log.close()
        self._end_streams()
        await self._wait_until_alone()
        for subscriber in self._subscribers:
            subscriber.cut()
        await self._wait_until_alone()
        if self._open_window is not None:
            await self._open_window.archive.close()

    async def subscribe(self, query: EventQuery, keep_alive: float = 0) -> Subscription:
        """Make a stream from where the query says, or from now on; its ``chunks()`` are the bytes to send.

        Everything that is committed after this returns is on the stream. After ``keep_alive`` seconds of silence the
        stream gives a sign of life, unless that is 0. Raises BehindHorizon, NotOnThisLog, StoreUnavailable.
        """
        start = query.since or NOW
        after = start.resolve(await self._store.log_bounds())
        while True:
            subscription = Subscription(query, after, self._window, self._subscribers, keep_alive)
            try:
                await subscription.fetch()
            except BehindHorizon as exc:
                if not start.at_oldest and start is not NOW:
                    raise  # Otherwise the horizon moved since we looked where it, or the head, is.
                after = exc.oldest - 1
            else:
                return subscription

    async def page(self, query: EventQuery) -> EventPage:
        """Read a page from where the query says. Raises BehindHorizon, NotOnThisLog, StoreUnavailable."""
        return await read_page(self._store, self._window.archive, query, query.since or NOW)

    @property
    def _window(self) -> LogWindow:
        assert self._open_window is not None, "the broker is not open"
        return self._open_window

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (StoreError, LogPositionError) as exc:
                _logger.warning("cannot follow the log of events, trying again: %s", exc)
            except Exception:
                _logger.exception("following the log of events failed, trying again")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        """Publish what was committed while nobody listened, then commit after commit."""
        commits = self._store.follow_log()
        try:
            await self._catch_up()
            async for events in commits:
                if not self._publish(events):
                    await self._catch_up()
        finally:
            close = getattr(commits, "aclose", None)
            if close is not None:
                await close()

    async def _catch_up(self) -> None:
        bounds = await self._store.log_bounds()
        recent = self._window.recent
        if bounds.log_id != self._window.log_id or bounds.head < recent.head:
            self._start_over(bounds, "the store's log was replaced")
        elif not self._subscribers:
            recent.skip_to(bounds.head)
        else:
            try:
                while recent.head < bounds.head:
                    self._publish(await self._store.read_log(recent.head, _READ_EVENTS, _READ_BYTES))
            except BehindHorizon:
                self._start_over(bounds, "events were pruned before they could be read")

    def _publish(self, events: Sequence[Event]) -> bool:
        """Take in consecutive events and wake their readers; False if some before them are missing."""
        recent = self._window.recent
        news = [event for event in events if event.seq > recent.head]
        if not news:
            return True
        if news[0].seq != recent.head + 1:
            return False
        self._change_log.note(news)
        if not self._subscribers:
            recent.skip_to(news[-1].seq)
            return True
        before = recent.head
        for event in news:
            recent.append(EncodedEvent(event))
        self._subscribers.tell(news)
        if recent.head // BOOKMARK_EVERY > before // BOOKMARK_EVERY:
            self._subscribers.tell_position(recent.head)
        return True

    def _start_over(self, bounds: LogBounds, reason: str) -> None:
        """End all streams, as nothing can be said about their places, and serve the log as it is now.

        Readers come back with their ids, and are told then whether these still mean anything.
        """
        _logger.warning("all event streams end: %s", reason)
        self._end_streams()
        self._open_window = LogWindow(self._store, bounds)

    def _end_streams(self) -> None:
        if self._open_window is not None:
            self._open_window.ended = True
        self._subscribers.tell_end()

    async def _wait_until_alone(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._subscribers.empty.wait(), _CLOSE_SECONDS)
