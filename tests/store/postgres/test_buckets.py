"""Buckets that several servers share in PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from wfx.limits.asks import Ask, LimitScope, Shortage
from wfx.limits.bucket import Band, left
from wfx.limits.memory import MemoryBuckets
from wfx.store.postgres import buckets
from wfx.store.postgres.buckets import PostgresBuckets
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL

HOUR = 3_600_000


def ask(key: str, *bands: Band) -> Ask:
    """What a token is wanted of."""
    return Ask(key, LimitScope.GLOBAL, bands)


@pytest.mark.parametrize("seed", range(6))
async def test_as_in_memory(
    bucket_servers: Sequence[PostgresBuckets], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whoever takes tokens and gives some back, however many and whenever, gets what buckets in memory give."""
    chance, now = random.Random(seed), [1_000_000]
    bands = (Band(chance.randint(1, 5), HOUR), Band(chance.randint(5, 9), 3 * HOUR))
    if seed % 2:  # as the rate limit per address has
        limit = chance.randint(1, 4)
        bands = (Band(limit + chance.randint(0, 5), HOUR, limit),)
    memory = MemoryBuckets(lambda: now[0])
    statements = {name: SQL[name] for name in ("lock_buckets", "forget_full_buckets")}
    for _ in range(60):
        now[0] += chance.choice((0, 1, HOUR // 3, HOUR, 7 * HOUR))
        for name, sql in statements.items():
            monkeypatch.setitem(SQL, name, sql.replace("clock_timestamp()", f"to_timestamp({now[0]} / 1000.0)"))
        wanted = [
            [ask(key, *bands) for key in chance.sample("abc", chance.randint(1, 3))]
            for _ in range(chance.randint(1, 4))
        ]
        server = chance.choice(bucket_servers)
        if chance.random() < 0.3:
            await server.give_back(wanted)
            for asks in wanted:
                memory.give_back(asks)
        else:
            assert await server.take_all(wanted) == [memory.take(asks) for asks in wanted]


async def test_cleaning_up_that_fails(
    bucket_servers: Sequence[PostgresBuckets], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens that were taken are told also if full buckets cannot be forgotten then."""
    monkeypatch.setitem(SQL, "forget_full_buckets", "SELECT pg_terminate_backend(pg_backend_pid()), $1::bigint")
    wanted = [[ask("kept", Band(1, HOUR))]]
    assert await bucket_servers[0].take_all(wanted) == [None]
    assert (await bucket_servers[0].take_all(wanted))[0] is not None


async def test_at_once(bucket_servers: Sequence[PostgresBuckets]) -> None:
    """Of tokens that servers take at the same moment none is given twice, in whichever order they name the buckets."""
    keys = [f"key-{number}" for number in range(10)]
    band = Band(100, 100 * HOUR)

    async def take(server: PostgresBuckets, order: list[str]) -> int:
        taken = [await server.take_all([[ask(key, band) for key in order]] * 4) for _ in range(20)]
        return sum(each is None for answer in taken for each in answer)

    assert sum(await asyncio.gather(take(bucket_servers[0], keys), take(bucket_servers[1], keys[::-1]))) == 100
    kept_ones, now = await bucket_servers[0].look(keys)
    assert [left(each, now, band) for each in kept_ones] == [0] * 10


async def test_full_buckets_are_forgotten(
    bucket_servers: Sequence[PostgresBuckets], plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buckets that are full again are deleted; those in use stay, and a bucket that is not there is full."""
    monkeypatch.setattr(buckets, "_INTERVAL", 0.0)
    assert await bucket_servers[0].take_all([[ask("fast", Band(1, 1))], [ask("slow", Band(1, HOUR))]]) == [None, None]
    await asyncio.sleep(0.01)  # longer than the fast one takes
    assert await bucket_servers[1].take_all([[ask("other", Band(1, HOUR))]]) == [None]
    kept = await plain.fetch("SELECT key FROM limit_bucket ORDER BY key")
    assert [key for (key,) in kept] == ["other", "slow"]
    (wait,) = await bucket_servers[1].take_all([[ask("slow", Band(1, HOUR))]])
    assert isinstance(wait, Shortage)
    kept_ones, now = await bucket_servers[0].look(["slow", "fast"])
    assert [left(each, now, Band(1, HOUR)) for each in kept_ones] == [0, 1]


async def test_many_full_buckets_are_forgotten(
    bucket_servers: Sequence[PostgresBuckets], plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many buckets are full again, the next calls delete them all, some at each."""
    monkeypatch.setattr(buckets, "_AT_ONCE", 10)
    await bucket_servers[0].take_all([[ask(f"key-{number}", Band(2, HOUR, 2))] for number in range(25)])
    await plain.execute("UPDATE limit_bucket SET at = at - $1, full_at = full_at - $1", 2 * HOUR)
    counts = []
    for _ in range(4):
        await bucket_servers[1].take_all([[ask("other", Band(1, HOUR))]])
        counts.append(await plain.fetchval("SELECT count(*) FROM limit_bucket WHERE key <> 'other'"))
    assert counts == [15, 5, 0, 0]
