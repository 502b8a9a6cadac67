"""A log, a broker and readers, and everything that can happen to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from tests.events.listlog import ListLog
from tests.events.reading import EventSource, Reader
from wfx.domain.errors import BehindHorizon
from wfx.domain.job import Action, Event
from wfx.domain.timestamp import Timestamp, rfc3339_millis
from wfx.events import broker, framing, log_pages, log_window, subscription
from wfx.events.broker import Broker
from wfx.events.query import EventQuery, parse_query
from wfx.store.protocol import Store

KEEP_ALIVE = 25
A_WHILE = 2000
"""Seconds in which the slowest reader reads all there is."""


class Log(Protocol):
    """What is known of the log behind a broker."""

    log_id: str
    events: Sequence[Event]
    """All there ever were, also those that were pruned."""

    @property
    def store(self) -> Store:
        """The store with the log."""

    @property
    def head(self) -> int:
        """The newest sequence number."""

    @property
    def horizon(self) -> int:
        """The newest sequence number that the store says was pruned."""

    @property
    def pruned(self) -> int:
        """The newest sequence number that was pruned, whether or not the store has heard of it."""

    async def prune_log(self, *, keep_newest: int, older_than: Timestamp, at_most: int) -> int:
        """Forget the oldest events, as a store does."""


@contextmanager
def tiny_bounds() -> Iterator[pytest.MonkeyPatch]:
    """Let every bound be met within a few events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_window, "MOST_EVENTS", 6)
        patch.setattr(log_window, "MOST_BYTES", 3000)
        patch.setattr(log_pages, "_MOST_EVENTS", 4)
        patch.setattr(log_pages, "_TARGET_BYTES", 1000)
        patch.setattr(framing, "CHUNK_BYTES", 250)
        patch.setattr(broker, "BOOKMARK_EVERY", 5)
        patch.setattr(broker, "_READ_EVENTS", 3)
        patch.setattr(subscription, "BOOKMARK_EVERY", 5)
        yield patch


@dataclass
class Follower:
    """One reader with all its connections, and what it must have seen."""

    query: EventQuery
    earliest: int
    """The reader began after this event, or later …"""
    latest: int
    """… but not after this one."""
    pace: float
    source: EventSource = field(default_factory=EventSource)
    reader: Reader | None = None
    overtaken: bool = False
    """The log was pruned beyond the reader."""

    def wanted(self, log: Sequence[Event], start: int) -> list[str]:
        """Name what the reader must see of the log if it began after ``start``."""
        return [
            f"{event.job_id} {event.client_id} {event.action} {rfc3339_millis(event.ctime)}"
            for event in log[start:]
            if self.query.filter.passes(event)
        ]

    @property
    def seen(self) -> list[str]:
        """Name what the reader saw, in the same way."""
        return [
            f"{data['job']['id']} {data['job']['clientId']} {data['action']} {data['ctime']}"
            for _, data in self.source.events
        ]

    def check(self, log: Log) -> None:
        """Hold what was seen against the log."""
        self._check_ids(log)
        self._check_events(log)

    def _check_ids(self, log: Log) -> None:
        """Ids count, or name the events' places on the log and are never told before what they stand for."""
        if self.query.since is None:
            assert self.source.ids == [str(number) for number in range(1, len(self.source.ids) + 1)]
            return
        told = [int(number.removeprefix(f"{log.log_id}-")) for number in self.source.ids]
        assert told == sorted(told)
        assert not self.source.early
        for number, data in self.source.events:
            event = log.events[int(number.removeprefix(f"{log.log_id}-")) - 1]
            assert rfc3339_millis(event.ctime) == data["ctime"]

    def _check_events(self, log: Log) -> None:
        """A reader that is connected saw all it wanted; one that is not saw a beginning of it and knows why."""
        possible = [self.wanted(log.events, start) for start in range(self.earliest, self.latest + 1)]
        if self.reader is not None and not self.reader.ended:
            assert self.seen in possible
            return
        assert any(wanted[: len(self.seen)] == self.seen for wanted in possible)
        if self.query.since is not None and self.source.last_id is not None:
            assert self.overtaken

    async def leave(self) -> None:
        """Go away, in the middle of whatever."""
        if self.reader is not None:
            await self.reader.stop()
            self.reader = None
            self.source.reconnect()

    async def come_back(self, broker: Broker) -> None:
        """Go on after the last id; readers that count, or were told no id, cannot."""
        if self.reader is not None or self.query.since is None or self.source.last_id is None:
            return
        query = EventQuery(self.query.filter, self.query.labels, parse_query({}, self.source.last_id).since)
        try:
            self.reader = Reader(await broker.subscribe(query, KEEP_ALIVE), self.source, self.pace)
        except BehindHorizon:
            self.overtaken = True


class World:
    """A log, a broker and its readers."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.broker = Broker(log.store)
        self.followers: list[Follower] = []

    async def come_to_rest(self) -> None:
        """Let everybody read to the end, after coming back where need be."""
        await asyncio.sleep(A_WHILE)
        for follower in self.followers:
            if follower.reader is not None:
                follower.reader.go_on()
        await asyncio.sleep(A_WHILE)
        for follower in self.followers:
            if follower.reader is not None and follower.reader.ended:
                await follower.leave()
            await follower.come_back(self.broker)
        await asyncio.sleep(A_WHILE)

    def check(self) -> None:
        """Hold what all readers saw against the log."""
        for follower in self.followers:
            follower.check(self.log)


class Step(Protocol):
    """Something that happens."""

    async def happen(self, world: World) -> None:
        """Let it happen."""


@dataclass(frozen=True)
class Commit:
    """Some changes become durable together, after a while."""

    delay: float
    drafts: Sequence[tuple[str, str, str, Action]]
    filling: int

    async def happen(self, world: World) -> None:
        """See the class."""
        log = world.log
        assert isinstance(log, ListLog)
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay, lambda: log.commit(*self.drafts, filling="x" * self.filling))


@dataclass(frozen=True)
class Join:
    """A reader comes; ``since`` as a number is a part of what the log holds."""

    parameters: dict[str, str]
    since: float | str | None
    pace: float

    async def happen(self, world: World) -> None:
        """See the class."""
        log = world.log
        if isinstance(self.since, float):
            oldest = min(log.pruned, log.head)
            earliest = round(oldest + self.since * (log.head - oldest))
            since: str | None = str(earliest)
        else:
            earliest = log.horizon if self.since == "0" else log.head
            since = self.since
        query = parse_query({**self.parameters, "since": since})
        stream = await world.broker.subscribe(query, KEEP_ALIVE)
        latest = {None: log.head, "now": log.head, "0": max(earliest, log.pruned)}.get(since, earliest)
        follower = Follower(query, earliest, latest, self.pace)
        follower.reader = Reader(stream, follower.source, self.pace)
        world.followers.append(follower)


@dataclass(frozen=True)
class Leave:
    """A reader goes away, and may come back later."""

    reader: int

    async def happen(self, world: World) -> None:
        """See the class."""
        for follower in world.followers[self.reader : self.reader + 1]:
            await follower.leave()


@dataclass(frozen=True)
class Return:
    """A reader comes back with the last id it was told."""

    reader: int

    async def happen(self, world: World) -> None:
        """See the class."""
        for follower in world.followers[self.reader : self.reader + 1]:
            await follower.come_back(world.broker)


@dataclass(frozen=True)
class Reconnect:
    """A reader's connection breaks, and the reader is back at once."""

    reader: int

    async def happen(self, world: World) -> None:
        """See the class."""
        await Leave(self.reader).happen(world)
        await Return(self.reader).happen(world)


@dataclass(frozen=True)
class Pause:
    """A reader reads no further."""

    reader: int

    async def happen(self, world: World) -> None:
        """See the class."""
        for follower in world.followers[self.reader : self.reader + 1]:
            if follower.reader is not None:
                follower.reader.pause()


@dataclass(frozen=True)
class GoOn:
    """A reader reads again."""

    reader: int

    async def happen(self, world: World) -> None:
        """See the class."""
        for follower in world.followers[self.reader : self.reader + 1]:
            if follower.reader is not None:
                follower.reader.go_on()


@dataclass(frozen=True)
class Prune:
    """The log forgets all but its newest events."""

    keep: int

    async def happen(self, world: World) -> None:
        """See the class."""
        await world.log.prune_log(keep_newest=self.keep, older_than=Timestamp(0), at_most=1000)


@dataclass(frozen=True)
class LoseStore:
    """The broker's connection to the store breaks."""

    async def happen(self, world: World) -> None:
        """See the class."""
        assert isinstance(world.log, ListLog)
        world.log.lose_followers()


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float

    async def happen(self, world: World) -> None:  # noqa: ARG002  # nothing happens but time
        """See the class."""
        await asyncio.sleep(self.seconds)
