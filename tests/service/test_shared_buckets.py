"""Buckets that servers share: how few questions that takes, and what holds while nobody answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from wfx.domain.errors import StoreUnavailable
from wfx.limits.asks import Ask, Asks, LimitScope, Shortage
from wfx.limits.bucket import Band, Bucket
from wfx.limits.memory import MemoryBuckets
from wfx.service.shared_buckets import SharedBuckets

MINUTE = 60_000
EMPTY = Shortage(MINUTE, LimitScope.ADDRESS)


def of(address: str, limit: int = 5, window: int = MINUTE) -> Asks:
    """What a request from an address needs a token of."""
    return (Ask(address, LimitScope.ADDRESS, (Band(limit, window, limit),)),)


class Database:
    """Keeps buckets, and notes what it is asked; it can be down, or silent."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.down = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fill_up()

    def fill_up(self) -> None:
        """Forget all buckets."""
        self._buckets = MemoryBuckets(lambda: 0)

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        """Answer."""
        self.asked.append(len(wanted))
        await self.may_answer.wait()
        if self.down:
            raise StoreUnavailable("down")
        return [self._buckets.take(asks) for asks in wanted]

    async def give_back(self, wanted: Sequence[Sequence[Ask]]) -> None:
        """Have tokens back."""
        if self.down:
            raise StoreUnavailable("down")
        for asks in wanted:
            self._buckets.give_back(asks)

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Tell how they are."""
        return self._buckets.look(keys)


class Server:
    """Has shared buckets, and some of its own, by a clock that stands still."""

    def __init__(self, database: Database) -> None:
        self.now = 0
        self._buckets = SharedBuckets(database, MemoryBuckets(lambda: self.now), lambda: self.now)

    async def take(self, asks: Asks) -> Shortage | None:
        """Take a token."""
        return await self._buckets.take(asks)

    async def give_back(self, asks: Asks) -> None:
        """Give it back."""
        await self._buckets.give_back(asks)


async def test_what_is_given_back() -> None:
    """A token that is given back can be taken at once, by those too who were told that there are none for a minute."""
    database = Database()
    server, other = Server(database), Server(database)
    assert [await server.take(of("10.0.0.1", 1)) for _ in range(2)] == [None, EMPTY]
    await server.give_back(of("10.0.0.1", 1))
    assert await server.take(of("10.0.0.1", 1)) is None
    database.down = True
    assert [await other.take(of("10.0.0.1", 1)) for _ in range(2)] == [None, EMPTY]
    await other.give_back(of("10.0.0.1", 1))
    assert await other.take(of("10.0.0.1", 1)) is None


async def test_what_is_told_while_a_token_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """That there was no token just before one was given back is not remembered."""
    database = Database()
    server, take_back = Server(database), database.give_back

    async def give_back(wanted: Sequence[Sequence[Ask]]) -> None:
        assert await server.take(of("10.0.0.1", 1)) == EMPTY
        await take_back(wanted)

    monkeypatch.setattr(database, "give_back", give_back)
    assert await server.take(of("10.0.0.1", 1)) is None
    await server.give_back(of("10.0.0.1", 1))
    assert await server.take(of("10.0.0.1", 1)) is None


async def test_requests_at_once_ask_together() -> None:
    """Requests that come while the database is asked are asked for together, and get as many tokens as there are."""
    database = Database()
    server = Server(database)
    found = await asyncio.gather(*(server.take(of("10.0.0.1")) for _ in range(8)), server.take(of("10.0.0.2")))
    assert found == [None] * 5 + [EMPTY] * 3 + [None]
    assert sum(database.asked) == 9
    assert len(database.asked) <= 2


@pytest.mark.parametrize("error", [KeyError("odd"), StoreUnavailable("down")])
async def test_whatever_goes_wrong_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those who ask get an answer of the server's own buckets at once, and a record says why, for any error."""
    database = Database()

    async def fail(_: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        raise error

    monkeypatch.setattr("wfx.service.shared_buckets._DEADLINE", 3600)
    monkeypatch.setattr(database, "take_all", fail)
    server = Server(database)
    assert [await server.take(of("a", 2)) for _ in range(3)] == [None, None, EMPTY]
    (record,) = caplog.records
    assert ("KeyError: 'odd'" if isinstance(error, KeyError) else "down") in record.getMessage()


async def test_servers_share() -> None:
    """What one server has let pass is missing for the other."""
    database = Database()
    one, other = Server(database), Server(database)
    assert [await each.take(of("a")) for each in (one, other, one, other, one, other)] == [None] * 5 + [EMPTY]


async def test_who_goes_on_costs_nothing() -> None:
    """Requests of an address whose bucket is empty ask nobody until tokens come back."""
    database = Database()
    server = Server(database)
    for _ in range(6):
        await server.take(of("a"))
    asked = len(database.asked)
    server.now = MINUTE - 1000
    assert await server.take(of("a")) == Shortage(1000, LimitScope.ADDRESS)
    assert len(database.asked) == asked
    server.now = MINUTE
    await server.take(of("a"))
    assert len(database.asked) == asked + 1


async def test_buckets_that_were_filled_up() -> None:
    """That a bucket is empty is remembered for a minute at most: a database that was started anew has full ones."""
    database, asks = Database(), of("a", 1, 1000 * MINUTE)
    server = Server(database)
    assert [await server.take(asks) for _ in range(2)] == [None, Shortage(1000 * MINUTE, LimitScope.ADDRESS)]
    database.fill_up()
    server.now = MINUTE - 1
    assert await server.take(asks) == Shortage(999 * MINUTE + 1, LimitScope.ADDRESS)
    server.now = MINUTE
    assert await server.take(asks) is None


async def test_a_limit_that_is_raised() -> None:
    """That a bucket is empty is not remembered of another limit."""
    database = Database()
    server = Server(database)
    assert [await server.take(of("a", 1)) for _ in range(2)] == [None, EMPTY]
    assert await server.take(of("a", 2)) is None


async def test_database_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    """While the database is down or silent each server limits by itself, says so once, and nobody waits for long."""
    caplog.set_level(logging.INFO, "wfx.service.shared_buckets")
    database = Database()
    server = Server(database)
    database.down = True
    assert [await server.take(of("a")) for _ in range(4)] == [None] * 4
    database.may_answer.clear()
    assert await server.take(of("a")) is None
    assert await server.take(of("a")) == EMPTY
    assert [record.getMessage() for record in caplog.records] == [
        "shared buckets of limits cannot be used, so this server counts for itself: down"
    ]
    database.down = False
    database.may_answer.set()
    assert [await server.take(of("a")) for _ in range(2)] == [None] * 2
    assert [record.getMessage() for record in caplog.records][1:] == ["shared buckets of limits are used again"]
