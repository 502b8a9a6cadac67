"""The end of the log, handed from the commit to its followers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import accumulate

import pytest

from tests.store.samples import FLOW
from wfx.domain.errors import StoreUnavailable
from wfx.domain.job import Action, Event
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store import feed as feeding
from wfx.store.feed import Feed, Follower


class Log:
    """A log in a list, and the feed at its end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reads = 0
        self.fails = False
        self.feed = Feed(0, self.read)

    async def read(self, after: int, limit: int, room: int) -> Sequence[Event]:
        """Read behind a position, one event whatever its size; others have time to do something meanwhile."""
        self.reads += 1
        await asyncio.sleep(0)
        if self.fails:
            raise StoreUnavailable("not now")
        sizes = accumulate(len(event.payload) for event in self.events[after : after + limit])
        return self.events[after : after + max(1, sum(size <= room for size in sizes))]

    def commit(self, count: int, size: int = 2) -> list[Event]:
        """Put events on the log and tell nobody."""
        start = len(self.events) + 1
        fresh = [
            Event(seq, Timestamp(seq), Action.CREATE, "j", "c", FLOW, Json(b"x" * size))
            for seq in range(start, start + count)
        ]
        self.events += fresh
        return fresh

    def publish(self, count: int, size: int = 2) -> None:
        """Put events on the log and tell the followers."""
        self.feed.publish(self.commit(count, size))


async def take(follower: Follower, count: int) -> list[int]:
    """Return the numbers of the next events."""
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += [event.seq for event in await asyncio.wait_for(anext(follower), 10)]
    return numbers


async def test_a_follower_at_the_end_reads_nothing_from_the_log() -> None:
    """Events go from the commit to the follower without a look at the tables."""
    log = Log()
    follower = log.feed.follow()
    log.publish(2)
    log.publish(1)
    assert await take(follower, 3) == [1, 2, 3]
    assert log.reads == 0


@pytest.mark.parametrize(("count", "size"), [(5000, 2), (40, 1_000_000)])
async def test_too_much_for_memory_is_read_from_the_log(count: int, size: int) -> None:
    """A follower that takes nothing holds a bounded number of events and of bytes, and still gets all of them."""
    log = Log()
    follower = log.feed.follow()
    for _ in range(count):
        log.publish(1, size)
    assert sum(len(event.payload) for events in follower._held for event in events) <= feeding._HELD_BYTES
    assert await take(follower, count) == list(range(1, count + 1))
    assert log.reads > 0
    reads = log.reads
    log.publish(1)
    assert await take(follower, 1) == [count + 1]
    assert log.reads == reads


async def test_what_is_committed_during_catching_up_comes_once() -> None:
    """Events that are committed while a follower reads the log are neither missed nor repeated."""
    log = Log()
    follower = log.feed.follow()
    log.publish(3)
    follower.overflow()
    taking = asyncio.create_task(take(follower, 8))
    await asyncio.sleep(0)
    log.publish(2)
    log.publish(3)
    assert await taking == list(range(1, 9))


async def test_what_was_read_before_it_was_told_comes_once() -> None:
    """A read may see a commit that the followers are told of only afterwards: they get it once."""
    log = Log()
    follower = log.feed.follow()
    log.publish(1)
    follower.overflow()
    late = log.commit(2)
    assert await take(follower, 3) == [1, 2, 3]
    log.feed.publish(late)
    log.publish(1)
    assert await take(follower, 1) == [4]


async def test_a_leap_of_the_log_is_read() -> None:
    """Events that came onto the log without being at hand are read from it, in their place."""
    log = Log()
    follower = log.feed.follow()
    log.publish(1)
    log.commit(2)
    log.feed.advance(3)
    log.publish(1)
    assert await take(follower, 4) == [1, 2, 3, 4]
    log.feed.advance(2)
    assert log.feed.head == 4


async def test_a_follower_that_is_behind_reads_many_events_at_once() -> None:
    """Events of fifty kilobytes that a follower missed come dozens at a time, and those of two megabytes do not."""
    log = Log()
    follower = log.feed.follow()
    log.commit(128, 50_000)
    log.feed.advance(128)
    assert await take(follower, 128) == list(range(1, 129))
    assert log.reads <= 4
    log.reads = 0
    log.commit(8, 2_000_000)
    log.feed.advance(136)
    assert await take(follower, 8) == list(range(129, 137))
    assert log.reads >= 4


async def test_a_failing_read_can_be_repeated() -> None:
    """A follower whose read fails says so, and goes on from where it was when it is asked again."""
    log = Log()
    follower = log.feed.follow()
    log.publish(2)
    follower.overflow()
    log.fails = True
    with pytest.raises(StoreUnavailable):
        await anext(follower)
    log.fails = False
    assert await take(follower, 2) == [1, 2]


async def test_a_forgotten_follower_is_let_go() -> None:
    """A follower that nobody has any more takes no part."""
    log = Log()
    log.feed.follow()
    log.publish(1)
    assert len(log.feed._followers) == 0


async def test_another_log_ends_followers() -> None:
    """Where another log takes the place of this one followers end, and new ones begin at its head."""
    log = Log()
    follower = log.feed.follow()
    log.publish(3)
    del log.events[1:]
    log.feed.start_over(1)
    assert [events async for events in follower] == []
    follower = log.feed.follow()
    log.publish(1)
    assert await take(follower, 1) == [2]
