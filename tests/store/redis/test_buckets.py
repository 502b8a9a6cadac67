"""Buckets that several servers share in Redis."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis_server import PASSWORD, RedisServer

from wfx.domain.errors import StoreUnavailable
from wfx.limits.asks import Ask, LimitScope, Shortage, give_back_all, take_all
from wfx.limits.bucket import FULL, Band, Bucket, left
from wfx.limits.policy import LONGEST_PERIOD, MOST_TOKENS
from wfx.store.redis import buckets
from wfx.store.redis.buckets import RedisBuckets

HOUR = 3_600_000
EXTREME = (1, 2, 3, 16_383, 16_384, 16_385, 99_999_989, MOST_TOKENS)
PERIODS = (1, 7, 1000, HOUR, 2**31 - 1, LONGEST_PERIOD - 1, LONGEST_PERIOD)


def ask(key: str, *bands: Band) -> Ask:
    """What a token is wanted of."""
    return Ask(key, LimitScope.GLOBAL, bands)


@pytest.fixture
def prefix() -> str:
    """What the keys of a test begin with."""
    return f"{uuid4()}:"


@pytest.fixture
async def servers(
    redis_server: RedisServer, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sequence[RedisBuckets]]:
    """Buckets as two servers have them, which wait for long: the machine may be busy."""
    monkeypatch.setattr(buckets, "_SECONDS", 60.0)
    opened = [redis_server.buckets(prefix) for _ in range(2)]
    yield opened
    for each in opened:
        await each.close()


@pytest.fixture
async def plain(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of the same Redis."""
    async with Redis(port=redis_server.port, password=PASSWORD) as client:
        yield client


def script_at(now: int) -> str:
    """Return the script as it is at a moment; what it keeps does not expire."""
    seconds, milliseconds = divmod(now, 1000)
    script = buckets._SCRIPT.read_text(encoding="utf-8")
    script = script.replace("redis.call('TIME')", f"{{{seconds}, {milliseconds * 1000}}}")
    return script.replace("math.min(longest, LONGEST)", "LONGEST")


def some_bands(chance: random.Random, *, small: bool) -> tuple[Band, ...]:
    """Return what a bucket may have."""
    if small:
        fast, slow = Band(chance.randint(1, 5), HOUR), Band(chance.randint(5, 9), 3 * HOUR)
        limit = chance.randint(1, 4)
        return chance.choice([(fast,), (fast, slow), (Band(limit + chance.randint(0, 5), HOUR, limit),)])
    bands = [Band(chance.choice(EXTREME), period) for period in chance.sample(PERIODS, chance.randint(1, 3))]
    limit = chance.choice(EXTREME[:-1])
    return chance.choice([tuple(bands), (Band(limit + chance.randint(0, 3), chance.choice(PERIODS), limit),)])


@pytest.mark.parametrize("seed", range(8))
async def test_as_the_function(servers: Sequence[RedisBuckets], seed: int) -> None:
    """Whoever takes tokens and gives some back, however many of however large buckets, gets what the function gives."""
    chance, now = random.Random(seed), [1_700_000_000_000]
    kept: dict[str, Bucket] = {}

    def take(asks: Sequence[Ask]) -> Shortage | None:
        changed, shortage = take_all(lambda key: kept.get(key, FULL), asks, now[0])
        kept.update(changed)
        return shortage

    small = seed % 2 == 0
    bands = {key: some_bands(chance, small=small) for key in "abc"}
    for _ in range(120):
        now[0] += chance.choice((0, 1, 6, HOUR // 3, HOUR, 7 * HOUR, -HOUR, LONGEST_PERIOD // 3))
        if chance.random() < 0.1:
            bands[chance.choice("abc")] = some_bands(chance, small=small)
        wanted = [
            [ask(key, *bands[key]) for key in chance.sample("abc", chance.randint(1, 3))]
            for _ in range(chance.randint(1, 6))
        ]
        server = chance.choice(servers)
        server._script = server._client.register_script(script_at(now[0]))
        if chance.random() < 0.3:
            await server.give_back(wanted)
            for asks in wanted:
                kept.update(give_back_all(lambda key: kept.get(key, FULL), asks, now[0]))
        else:
            assert await server.take_all(wanted) == [take(asks) for asks in wanted]
        assert (await server.look("abc"))[0] == [kept.get(key, FULL) for key in "abc"]


async def test_at_once(servers: Sequence[RedisBuckets]) -> None:
    """Of forty that ask two servers at once exactly twenty get a token, in whichever order they name the buckets."""
    asks = [ask(key, Band(20, 100 * HOUR)) for key in "ab"]
    answers = await asyncio.gather(*(server.take_all([order]) for server, order in zip(
        [*servers] * 20, [asks, asks[::-1]] * 20, strict=True
    )))  # fmt: skip
    assert sum(shortage is None for (shortage,) in answers) == 20
    found, now = await servers[0].look("ab")
    assert [left(each, now, Band(20, 100 * HOUR)) for each in found] == [0, 0]


async def test_one_round_trip(servers: Sequence[RedisBuckets], plain: Redis) -> None:
    """However many buckets and bands are asked for, one command is sent."""
    bands = (Band(20, HOUR), Band(200, 24 * HOUR))
    await servers[0].take_all([[ask("first", *bands)]])
    before = (await plain.info("commandstats"))["cmdstat_evalsha"]["calls"]
    await servers[0].take_all([[ask(f"{place} {number}", *bands) for number in range(3)] for place in range(50)])
    assert (await plain.info("commandstats"))["cmdstat_evalsha"]["calls"] == before + 1


async def test_buckets_are_forgotten(servers: Sequence[RedisBuckets], plain: Redis, prefix: str) -> None:
    """Each bucket is kept until it is full again and not for ever, under a key with the prefix."""
    await servers[0].take_all([[ask("hour", Band(2, HOUR)), ask("window", Band(3, HOUR, 1))]] * 2)
    left_for = {key: await plain.pttl(f"{prefix}{key}") for key in ("hour", "window")}
    assert 2 * HOUR // 2 <= left_for["hour"] + 60_000 <= 4 * HOUR
    assert 2 * HOUR <= left_for["window"] + 60_000 <= 4 * HOUR
    assert await servers[0].take_all([[ask("fast", Band(1, 1))]]) == [None]
    left = await plain.pttl(f"{prefix}fast")  # -1 for a key without an end, -2 for none
    assert left == -2 or 0 <= left <= 2
    await asyncio.sleep(0.01)  # longer than it is kept
    assert (await servers[0].look(["fast"]))[0] == [FULL]


async def test_what_is_kept(servers: Sequence[RedisBuckets], plain: Redis, prefix: str) -> None:
    """A bucket is short text."""
    await servers[0].take_all([[ask("bucket", Band(20, HOUR))]])
    kept = json.loads(await plain.get(f"{prefix}bucket") or "")
    assert kept["bands"] == [[HOUR, 1, 0]]


async def test_redis_that_is_away(prefix: str) -> None:
    """Redis that is not there is told as such; when it is back, empty, it is used as before."""
    with RedisServer() as own:
        server = own.buckets(prefix)
        asks = [ask("a", Band(1, HOUR))]
        assert await server.take_all([asks]) == [None]
        own.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=f"Redis at 127.0.0.1:{own.port} cannot be used"):
                await server.take_all([asks])
        with pytest.raises(StoreUnavailable):
            await server.look(["a"])
        own.start()
        assert await server.take_all([asks]) == [None]
        await server.close()


async def test_a_wrong_password(redis_server: RedisServer, prefix: str) -> None:
    """A password that is wrong is told as such, and not shown."""
    server = redis_server.buckets(prefix, "hunter2")
    with pytest.raises(StoreUnavailable, match=r"(?i)password") as refused:
        await server.take_all([[ask("a", Band(1, HOUR))]])
    assert "hunter2" not in str(refused.value)
    await server.close()


def test_loaded_when_used() -> None:
    """The package of Redis is loaded when somebody asks for tokens, and not by a server that has no use for it."""
    program = "import sys, wfx.supervise, wfx.store.redis.buckets; assert 'redis' not in sys.modules, 'it is loaded'"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
