"""Buckets in PostgreSQL: locked, filled and used in one transaction, by the clock of the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from operator import itemgetter

from wfx.domain.errors import StoreError
from wfx.limits.asks import Ask, Shortage, give_back_all
from wfx.limits.asks import take_all as take_each
from wfx.limits.bucket import FULL, Bucket, full_at
from wfx.store.postgres.connections import Connection, Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.statements import SQL

_INTERVAL = 60.0
"""Seconds between two looks for buckets that are full again."""
_AT_ONCE = 10_000
"""Such buckets that are forgotten in one statement; if there were as many, the next call goes on."""

_Change = Callable[[Callable[[str], Bucket], Sequence[Ask], int], tuple[Mapping[str, Bucket], Shortage | None]]
"""Returns the buckets that change, and why no token was taken."""


class PostgresBuckets:
    """Implements :class:`wfx.store.buckets.BucketStore`, on a connection of its own."""

    def __init__(self, connect: Open, deadlines: Deadlines) -> None:
        """Open the connection when it is first used. Those who ask do not wait for PostgreSQL to the end."""
        self._connection = Connection(connect, seconds=deadlines.ping, known_down=deadlines.known_down)
        self._due = 0.0
        """When full buckets are looked for next."""

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self._connection.is_open

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        """Take tokens; see the protocol."""
        shortages = await self._connection.run(partial(_change, wanted=wanted, change=take_each))
        await self._forget()
        return shortages

    async def give_back(self, wanted: Sequence[Sequence[Ask]]) -> None:
        """Give tokens back; see the protocol."""
        await self._connection.run(partial(_change, wanted=wanted, change=_given_back))

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Return buckets; see the protocol."""
        return await self._connection.read(partial(_look, keys=keys))

    async def close(self) -> None:
        """Close the connection for good."""
        await self._connection.close()

    async def _forget(self) -> None:
        """Now and then, forget buckets that are full again."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _INTERVAL
        forgotten = ""
        with suppress(StoreError):  # those who wait have their answers, and it is tried again
            forgotten = await self._connection.run(lambda plain: plain.execute(SQL["forget_full_buckets"], _AT_ONCE))
        if forgotten == f"DELETE {_AT_ONCE}":
            self._due = 0.0


async def _change(plain: Plain, wanted: Sequence[Sequence[Ask]], change: _Change) -> Sequence[Shortage | None]:
    bands = {ask.key: ask.bands for asks in wanted for ask in asks}
    async with plain.transaction():
        rows = await plain.fetch(SQL["lock_buckets"], [*bands])
        now: int = max(map(itemgetter(4), rows))
        before = {key: _bucket(*state) for key, *state, _ in rows}
        after, shortages = dict(before), list[Shortage | None]()
        for asks in wanted:
            changed, shortage = change(after.__getitem__, asks, now)
            after |= changed
            shortages.append(shortage)
        kept = [_row(key, each, full_at(each, bands[key])) for key, each in after.items() if each != before[key]]
        if kept:
            await plain.executemany(SQL["keep_bucket"], kept)
    return shortages


def _given_back(buckets: Callable[[str], Bucket], asks: Sequence[Ask], now: int) -> tuple[Mapping[str, Bucket], None]:
    return give_back_all(buckets, asks, now), None


async def _look(plain: Plain, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
    rows = await plain.fetch(SQL["look_at_buckets"], [*keys])
    return [FULL if row[2] is None else _bucket(*row[:3]) for row in rows], max(map(itemgetter(3), rows), default=0)


def _bucket(periods: Sequence[int], missing: Sequence[int], at: int) -> Bucket:
    return Bucket(dict(zip(periods, missing, strict=True)), at)


def _row(key: str, bucket: Bucket, full: int) -> tuple[str, list[int], list[int], int, int]:
    return key, [*bucket.missing], [*bucket.missing.values()], bucket.at, full
