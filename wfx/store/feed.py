"""Feed of new events: passes each commit's events to the followers of the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakSet

from wfx.domain.job import Event

ReadLog = Callable[[int, int, int], Awaitable[Sequence[Event]]]
"""Reads events after a position, at most so many and so many bytes; see :meth:`wfx.store.protocol.Store.read_log`."""

_HELD_EVENTS = 4096
_HELD_BYTES = 16 * 1024 * 1024
"""What a follower may have waiting in memory before it is served from the log instead."""
_READ = 64
_READ_BYTES = 4 * 1024 * 1024
"""Events, and bytes of them, to read from the log at a time by a follower that fell behind."""


class Feed:
    """Knows the head of the log and hands each commit's events to the followers."""

    def __init__(self, head: int, read_log: ReadLog) -> None:
        """Start at the newest event there is."""
        self.head = head
        """The sequence number of the newest durable event."""
        self._read_log = read_log
        self._followers: WeakSet[Follower] = WeakSet()

    def publish(self, events: Sequence[Event]) -> None:
        """Tell of a commit, right after it is durable and before the next one of this server."""
        if events and events[0].seq != self.head + 1:  # another server's events came between, or were told first
            self.advance(events[-1].seq)
        elif events:
            self.head = events[-1].seq
            for follower in self._followers:
                follower.push(events)

    def advance(self, head: int) -> None:
        """Tell that the log has grown to ``head`` by events that are not at hand."""
        if head > self.head:
            self.head = head
            for follower in self._followers:
                follower.overflow()

    def start_over(self, head: int) -> None:
        """Tell that another log has taken the place of this one: followers end, as nothing follows what they had."""
        self.head = head
        for follower in self._followers:
            follower.overflow()
            follower.end()

    def follow(self) -> Follower:
        """Return an iterator over what comes from now on."""
        follower = Follower(self, self._read_log)
        self._followers.add(follower)
        return follower

    def close(self) -> None:
        """End all followers once they have taken what they hold."""
        for follower in self._followers:
            follower.end()


class Follower:
    """One reader's place at the end of the log, in memory; see :meth:`wfx.store.protocol.Store.follow_log`."""

    def __init__(self, feed: Feed, read_log: ReadLog) -> None:
        """Begin behind the present head."""
        self._feed = feed
        self._read_log = read_log
        self._yielded = feed.head
        self._held: deque[Sequence[Event]] = deque()
        self._events = 0
        self._bytes = 0
        self._end = feed.head
        """The newest event yielded or held."""
        self._behind = False
        self._ended = False
        self._news = asyncio.Event()

    def push(self, events: Sequence[Event]) -> None:
        """Take the events of a commit, or note that they are to be read from the log."""
        self._news.set()
        if self._behind:
            return
        fresh = events if events[0].seq > self._end else [event for event in events if event.seq > self._end]
        if fresh:
            self._held.append(fresh)
            self._end = fresh[-1].seq
            self._count(fresh, 1)
        if self._events > _HELD_EVENTS or self._bytes > _HELD_BYTES:
            self.overflow()

    def overflow(self) -> None:
        """Let go of what is held: from here on the log is read, until its head is reached."""
        self._held.clear()
        self._events = self._bytes = 0
        self._behind = True
        self._news.set()

    def end(self) -> None:
        """Say that nothing will come any more."""
        self._ended = True
        self._news.set()

    @property
    def head(self) -> int:
        """The newest event there is, as far as this server knows."""
        return self._feed.head

    @property
    def is_ready(self) -> bool:
        """Whether the next events are at hand, so that nobody waits for them."""
        return bool(self._held)

    async def aclose(self) -> None:
        """Stop following; a step that waits ends too."""
        self.overflow()
        self.end()

    def __aiter__(self) -> Follower:
        """Return itself."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next events; wait for them if there are none."""
        while True:
            if self._held:
                return self._yield(self._held.popleft())
            if self._ended:
                raise StopAsyncIteration
            if self._behind and (events := await self._catch_up()):
                return events
            if not self._behind and not self._held:
                self._news.clear()
                await self._news.wait()

    def _yield(self, events: Sequence[Event]) -> Sequence[Event]:
        self._count(events, -1)
        self._yielded = events[-1].seq
        return events

    def _count(self, events: Sequence[Event], sign: int) -> None:
        self._events += sign * len(events)
        self._bytes += sign * sum(len(event.payload) for event in events)

    async def _catch_up(self) -> Sequence[Event]:
        events = await self._read_log(self._yielded, _READ, _READ_BYTES)
        if events:
            self._yielded = events[-1].seq
        self._end = self._yielded
        self._behind = self._yielded < self._feed.head
        return events
