"""Buckets of limits that several servers share in PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from wfx.limits.bucket import Band, left
from wfx.limits.memory import MemoryBuckets, Wait
from wfx.limits.policy import Ask, Scope
from wfx.store.postgres import rate_tokens
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rate_tokens import PostgresRateTokens
from wfx.store.postgres.statements import SQL

HOUR = 3_600_000


def ask(key: str, *bands: Band) -> Ask:
    """What a token is wanted of."""
    return Ask(key, Scope.GLOBAL, bands)


@pytest.mark.parametrize("seed", range(5))
async def test_as_in_memory(
    token_servers: Sequence[PostgresRateTokens], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whoever takes tokens, however many at once and whenever, gets what buckets in memory would have given."""
    chance, now = random.Random(seed), [1_000_000]
    bands = (Band(chance.randint(1, 5), HOUR), Band(chance.randint(5, 9), 3 * HOUR))
    memory = MemoryBuckets(lambda: now[0])
    statements = {name: SQL[name] for name in ("lock_limits", "forget_full_limits")}
    for _ in range(60):
        now[0] += chance.choice((0, 1, HOUR // 3, HOUR, 7 * HOUR))
        for name, sql in statements.items():
            monkeypatch.setitem(SQL, name, sql.replace("clock_timestamp()", f"to_timestamp({now[0]} / 1000.0)"))
        wanted = [
            [ask(key, *bands) for key in chance.sample("abc", chance.randint(1, 3))]
            for _ in range(chance.randint(1, 4))
        ]
        assert await chance.choice(token_servers).take_all(wanted) == [memory.take(asks) for asks in wanted]


async def test_at_once(token_servers: Sequence[PostgresRateTokens]) -> None:
    """Of tokens that servers take at the same moment none is given twice, in whichever order they name the buckets."""
    keys = [f"key-{number}" for number in range(10)]
    band = Band(100, 100 * HOUR)

    async def take(server: PostgresRateTokens, order: list[str]) -> int:
        taken = [await server.take_all([[ask(key, band) for key in order]] * 4) for _ in range(20)]
        return sum(each is None for answer in taken for each in answer)

    assert sum(await asyncio.gather(take(token_servers[0], keys), take(token_servers[1], keys[::-1]))) == 100
    buckets, now = await token_servers[0].look(keys)
    assert [left(each, now, band) for each in buckets] == [0] * 10


async def test_full_buckets_are_forgotten(
    token_servers: Sequence[PostgresRateTokens], plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buckets that are full again are deleted; those in use stay, and a bucket that is not there is full."""
    monkeypatch.setattr(rate_tokens, "_INTERVAL", 0.0)
    assert await token_servers[0].take_all([[ask("fast", Band(1, 1))], [ask("slow", Band(1, HOUR))]]) == [None, None]
    await asyncio.sleep(0.01)  # longer than the fast one takes
    assert await token_servers[1].take_all([[ask("other", Band(1, HOUR))]]) == [None]
    kept = await plain.fetch("SELECT key FROM limit_bucket ORDER BY key")
    assert [key for (key,) in kept] == ["other", "slow"]
    (wait,) = await token_servers[1].take_all([[ask("slow", Band(1, HOUR))]])
    assert isinstance(wait, Wait)
    buckets, now = await token_servers[0].look(["slow", "fast"])
    assert [left(each, now, Band(1, HOUR)) for each in buckets] == [0, 1]
