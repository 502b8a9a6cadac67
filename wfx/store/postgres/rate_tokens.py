"""Tokens of the rate limit and of limits in PostgreSQL: asked for together by all requests that come together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from wfx.domain.quota import Quota
from wfx.limits.bucket import Bucket
from wfx.limits.memory import Wait
from wfx.limits.policy import Ask
from wfx.store.postgres import limit_buckets
from wfx.store.postgres.connections import Connection, Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.statements import SQL
from wfx.store.rate_tokens import Taken

_INTERVAL = 60.0
"""Seconds between two looks for buckets that are full again."""
_AT_ONCE = 10_000
"""Such buckets that are forgotten in one statement; if there were as many, the next call goes on."""


class PostgresRateTokens:
    """Implements :class:`wfx.store.rate_tokens.SharedTokens`, on a connection of its own."""

    def __init__(self, connect: Open, deadlines: Deadlines) -> None:
        """Open the connection when it is first used. Those who ask do not wait for PostgreSQL to the end."""
        self._connection = Connection(connect, seconds=deadlines.ping, known_down=deadlines.known_down)
        self._due = 0.0
        """When full buckets are looked for next."""

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self._connection.is_open

    async def take(self, wanted: Mapping[str, int], quota: Quota) -> Mapping[str, Taken]:
        """Take tokens; see the protocol."""
        return await self._connection.run(partial(self._take, wanted=wanted, quota=quota))

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Wait | None]:
        """Take tokens; see the protocol."""
        waits = await self._connection.run(partial(limit_buckets.take_all, wanted=wanted))
        await self._connection.run(self._forget)
        return waits

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets; see the protocol."""
        return await self._connection.read(partial(limit_buckets.look, keys=keys))

    async def close(self) -> None:
        """Close the connection for good."""
        await self._connection.close()

    async def _take(self, plain: Plain, wanted: Mapping[str, int], quota: Quota) -> Mapping[str, Taken]:
        values = (list(wanted), list(wanted.values()), quota.size, quota.limit, quota.window)
        rows = await plain.fetch(SQL["take_tokens"], *values)
        await self._forget(plain)
        return {key: Taken(granted, wait) for key, granted, wait in rows}

    async def _forget(self, plain: Plain) -> None:
        """Now and then, forget buckets that are full again."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _INTERVAL
        forgotten = [await plain.execute(SQL[each], _AT_ONCE) for each in ("forget_full_buckets", "forget_full_limits")]
        if f"DELETE {_AT_ONCE}" in forgotten:
            self._due = 0.0
