"""Tokens of the rate limit in PostgreSQL: one statement for all requests that come together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from wfx.domain.quota import Quota
from wfx.store.postgres.connections import Connection, Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.statements import SQL
from wfx.store.rate_tokens import Taken

_INTERVAL = 60.0
"""Seconds between two looks for buckets that are full again."""
_AT_ONCE = 10_000
"""Such buckets that are forgotten in one statement; if there were as many, the next call goes on."""


class PostgresRateTokens:
    """Implements :class:`wfx.store.rate_tokens.SharedRateTokens`, on a connection of its own."""

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

    async def close(self) -> None:
        """Close the connection for good."""
        await self._connection.close()

    async def _take(self, plain: Plain, wanted: Mapping[str, int], quota: Quota) -> Mapping[str, Taken]:
        values = (list(wanted), list(wanted.values()), quota.size, quota.limit, quota.window)
        rows = await plain.fetch(SQL["take_tokens"], *values)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _INTERVAL
            forgotten = await plain.execute(SQL["forget_full_buckets"], _AT_ONCE)
            if forgotten == f"DELETE {_AT_ONCE}":
                self._due = 0.0
        return {key: Taken(granted, wait) for key, granted, wait in rows}
