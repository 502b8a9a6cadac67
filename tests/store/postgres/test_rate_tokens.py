"""PostgresRateTokens that several servers share in PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from wfx.domain.quota import Bucket, Quota
from wfx.store.postgres import rate_tokens
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rate_tokens import PostgresRateTokens

WINDOW = 100_000.0
"""Seconds: what the test itself takes is nothing against it."""


async def let_pass(plain: Plain, seconds: float) -> None:
    """Have all buckets be older by so many seconds."""
    await plain.execute("UPDATE rate_bucket SET since = since - $1, full_at = full_at - $1", seconds)


@pytest.mark.parametrize("seed", range(5))
async def test_buckets(token_servers: Sequence[PostgresRateTokens], plain: Plain, seed: int) -> None:
    """Whoever takes tokens, and however many at once, gets those that one bucket in memory would have had."""
    chance = random.Random(seed)
    quota = Quota(chance.randint(1, 4), WINDOW, chance.randint(0, 5))
    buckets: dict[str, Bucket] = {}
    now = 0.0
    for _ in range(60):
        wanted = {key: chance.randint(1, 3) for key in chance.sample("abc", chance.randint(1, 3))}
        taken = await chance.choice(token_servers).take(wanted, quota)
        for key, count in wanted.items():
            bucket = buckets.setdefault(key, Bucket(now))
            waits = [bucket.take(quota, now) for _ in range(count)]
            assert taken[key].granted == waits.count(None)
            assert taken[key].wait == pytest.approx(bucket.since + WINDOW - now, abs=1000)
        passes = chance.choice((0.0, 0.4, 1.3, 2.6)) * WINDOW
        now += passes
        await let_pass(plain, passes)


async def test_at_once(token_servers: Sequence[PostgresRateTokens]) -> None:
    """Of tokens that servers take at the same moment none is given twice, and no server waits for ever for another."""
    quota = Quota(100, WINDOW)
    keys = [f"key-{number}" for number in range(10)]

    async def take(server: PostgresRateTokens, order: list[str]) -> int:
        taken = [await server.take(dict.fromkeys(order, 3), quota) for _ in range(40)]
        return sum(each.granted for answer in taken for each in answer.values())

    async with asyncio.timeout(120):
        first, second = await asyncio.gather(take(token_servers[0], keys), take(token_servers[1], keys[::-1]))
    assert first + second == len(keys) * quota.size


async def test_full_buckets_are_forgotten(token_servers: Sequence[PostgresRateTokens], plain: Plain) -> None:
    """Buckets that are full again are deleted in time, and no others."""
    quota = Quota(2, WINDOW, 4)
    await token_servers[0].take({"little": 1, "much": 5}, quota)
    await let_pass(plain, 1.5 * WINDOW)
    await token_servers[1].take({"other": 1}, quota)
    kept = await plain.fetch("SELECT key FROM rate_bucket ORDER BY key")
    assert [row[0] for row in kept] == ["much", "other"]


async def test_many_full_buckets_are_forgotten(
    token_servers: Sequence[PostgresRateTokens], plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many buckets are full again, the next calls delete them all, some at each."""
    monkeypatch.setattr(rate_tokens, "_AT_ONCE", 10)
    quota = Quota(2, WINDOW)
    await token_servers[0].take({f"key-{number}": 1 for number in range(25)}, quota)
    await let_pass(plain, 1.5 * WINDOW)
    left = []
    for _ in range(4):
        await token_servers[1].take({"other": 1}, quota)
        left.append(await plain.fetchval("SELECT count(*) FROM rate_bucket WHERE key <> 'other'"))
    assert left == [15, 5, 0, 0]
