"""Buckets in Redis: filled and used by a script there, in one round trip and by the clock of that server."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import orjson

from wfx.domain.errors import StoreUnavailable
from wfx.limits.asks import Ask, Shortage
from wfx.limits.bucket import FULL, Bucket, wait_of

_SCRIPT = Path(__file__).with_name("take_all.lua")
_SECONDS = 1.0
"""How long Redis may take to connect, and to answer."""
Result = TypeVar("Result")


class RedisTarget(NamedTuple):
    """Where Redis is."""

    host: str
    port: int
    password: str
    uses_tls: bool
    key_prefix: str
    """What the keys of all buckets begin with."""

    def __repr__(self) -> str:
        """Show it without the password."""
        return f"RedisTarget({self.host}:{self.port})"


class RedisBuckets:
    """Implements :class:`wfx.store.buckets.BucketStore`."""

    def __init__(self, target: RedisTarget) -> None:
        """Connect there at the first use. The package is loaded now, which takes a while."""
        from redis.asyncio import Redis  # an optional package, which few need
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as ConnectionLost
        from redis.exceptions import RedisError

        self._target = target
        self._client = Redis(
            host=target.host,
            port=target.port,
            password=target.password or None,
            ssl=target.uses_tls,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            # A connection that has ended, as when Redis was started anew, is opened once more, and the request is sent
            # again. If Redis had carried it out, its tokens are taken twice: too few pass, never too many.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),
        )
        self._script = self._client.register_script(_SCRIPT.read_text(encoding="utf-8"))
        self._failures = (RedisError, OSError)

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        """Take tokens; see the protocol."""
        lacks = await self._changed(wanted, 1)
        return [_longest(asks, each) if each else None for asks, each in zip(wanted, lacks, strict=True)]

    async def give_back(self, wanted: Sequence[Sequence[Ask]]) -> None:
        """Give tokens back; see the protocol."""
        await self._changed(wanted, -1)

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets; see the protocol."""
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.mget([*map(self._key, keys)])
            pipeline.time()
            kept, (seconds, microseconds) = await self._told(pipeline.execute())
        return [FULL if each is None else _bucket(each) for each in kept], seconds * 1000 + microseconds // 1000

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _changed(self, wanted: Sequence[Sequence[Ask]], cost: int) -> Sequence[Any]:
        """Have the script change buckets; return what it says of each that is wanted."""
        places = {key: place for place, key in enumerate(dict.fromkeys(ask.key for asks in wanted for ask in asks), 1)}
        asked = [[(places[ask.key], [*map(tuple, ask.bands)]) for ask in asks] for asks in wanted]
        answer = await self._told(self._script(keys=[*map(self._key, places)], args=[orjson.dumps(asked), cost]))
        _, lacks = orjson.loads(answer)
        return cast("Sequence[Any]", lacks)

    def _key(self, key: str) -> str:
        return self._target.key_prefix + key

    async def _told(self, answer: Awaitable[Result]) -> Result:
        try:
            return await answer
        except self._failures as exc:
            where = f"{self._target.host}:{self._target.port}"
            raise StoreUnavailable(f"Redis at {where} cannot be used: {str(exc) or type(exc).__name__}") from exc


def _longest(asks: Sequence[Ask], lacks: Sequence[Sequence[tuple[int, int]]]) -> Shortage:
    """Return the shortage of the bucket that takes longest, the first one of several."""
    shortages = [
        Shortage(
            max(wait_of(band, whole * band.period + rest) for band, (whole, rest) in zip(ask.bands, each, strict=True)),
            ask.scope,
        )
        for ask, each in zip(asks, lacks, strict=True)
    ]
    return max(shortages, key=lambda shortage: shortage.milliseconds)


def _bucket(kept: bytes) -> Bucket:
    state = orjson.loads(kept)
    return Bucket({period: whole * period + rest for period, whole, rest in state["bands"]}, state["at"])
