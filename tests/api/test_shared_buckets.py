"""Buckets that servers share: how few questions that takes, and what holds while nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from wfx.api.rate_limit import MemoryBuckets, SharedBuckets
from wfx.domain.errors import StoreUnavailable
from wfx.domain.quota import Bucket, Quota
from wfx.store.rate_tokens import Taken

QUOTA = Quota(5, 60.0)


class Database:
    """Keeps buckets, and notes what it is asked; it can be down, or silent."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, int]] = []
        self.down = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._buckets: dict[str, Bucket] = {}

    async def take(self, wanted: Mapping[str, int], quota: Quota) -> Mapping[str, Taken]:
        """Answer."""
        self.asked.append(wanted)
        await self.may_answer.wait()
        if self.down:
            raise StoreUnavailable("down")
        found = {}
        for key, count in wanted.items():
            bucket = self._buckets.setdefault(key, Bucket(0.0))
            found[key] = Taken([bucket.take(quota, 0.0) for _ in range(count)].count(None), 60.0)
        return found


async def test_requests_at_once_ask_together() -> None:
    """Requests that come while the database is asked are asked for together, and get as many tokens as there are."""
    database = Database()
    buckets = SharedBuckets(database, MemoryBuckets())
    waits = await asyncio.gather(*(buckets.take("10.0.0.1", QUOTA) for _ in range(8)), buckets.take("10.0.0.2", QUOTA))
    assert waits == [None] * 5 + [60.0] * 3 + [None]
    assert sum(sum(asked.values()) for asked in database.asked) == 9
    assert len(database.asked) <= 2


async def test_servers_share() -> None:
    """What one server has let pass is missing for the other."""
    database = Database()
    one, other = (SharedBuckets(database, MemoryBuckets()) for _ in range(2))
    assert [await each.take("10.0.0.1", QUOTA) for each in (one, other, one, other, one, other)] == [None] * 5 + [60.0]


async def test_who_goes_on_costs_nothing() -> None:
    """Requests of an address whose bucket is empty ask nobody until tokens come back."""
    now = [0.0]
    database = Database()
    buckets = SharedBuckets(database, MemoryBuckets(), clock=lambda: now[0])
    for _ in range(6):
        await buckets.take("10.0.0.1", QUOTA)
    asked = len(database.asked)
    now[0] = 59.0
    assert await buckets.take("10.0.0.1", QUOTA) == 1.0
    assert len(database.asked) == asked
    now[0] = 60.0
    await buckets.take("10.0.0.1", QUOTA)
    assert len(database.asked) == asked + 1


async def test_database_that_is_down() -> None:
    """While the database is down or silent each server limits by itself, and requests do not wait for long."""
    database = Database()
    buckets = SharedBuckets(database, MemoryBuckets())
    database.down = True
    assert [await buckets.take("10.0.0.1", QUOTA) for _ in range(4)] == [None] * 4
    database.may_answer.clear()
    assert await buckets.take("10.0.0.1", QUOTA) is None
    refused = await buckets.take("10.0.0.1", QUOTA)
    assert refused is not None
    database.down = False
    database.may_answer.set()
    assert await buckets.take("10.0.0.1", QUOTA) is None


async def test_keys_that_are_no_addresses() -> None:
    """What a proxy passes for an address, and is none, never gets into the database."""
    database = Database()
    buckets = SharedBuckets(database, MemoryBuckets())
    for key in ("x" * 5000, "a\0b", "ü"):
        assert [await buckets.take(key, Quota(1, 60.0)) is None for _ in range(2)] == [True, False]
    assert database.asked == []
