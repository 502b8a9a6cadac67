"""Buckets of limits in PostgreSQL: locked, filled and used in one transaction, by the clock of the database."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from wfx.limits.bucket import FULL, Bucket, full_at
from wfx.limits.memory import Wait
from wfx.limits.memory import take_all as take_each
from wfx.limits.policy import Ask
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL


async def take_all(plain: Plain, wanted: Sequence[Sequence[Ask]]) -> Sequence[Wait | None]:
    """Take tokens; see :class:`wfx.store.rate_tokens.SharedLimits`."""
    bands = {ask.key: ask.bands for asks in wanted for ask in asks}
    async with plain.transaction():
        rows = await plain.fetch(SQL["lock_limits"], [*bands])
        now: int = max(map(itemgetter(4), rows))
        before = {key: _bucket(*state) for key, *state, _ in rows}
        after, waits = dict(before), list[Wait | None]()
        for asks in wanted:
            changed, wait = take_each(after.__getitem__, asks, now)
            after |= changed
            waits.append(wait)
        kept = [_row(key, each, full_at(each, bands[key])) for key, each in after.items() if each != before[key]]
        if kept:
            await plain.executemany(SQL["keep_limit"], kept)
    return waits


async def look(plain: Plain, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
    """Return buckets and the time; see :class:`wfx.store.rate_tokens.SharedLimits`."""
    rows = await plain.fetch(SQL["look_at_limits"], [*keys])
    return [FULL if row[2] is None else _bucket(*row[:3]) for row in rows], max(map(itemgetter(3), rows), default=0)


def _bucket(periods: Sequence[int], missing: Sequence[int], at: int) -> Bucket:
    return Bucket(dict(zip(periods, missing, strict=True)), at)


def _row(key: str, bucket: Bucket, full: int) -> tuple[str, list[int], list[int], int, int]:
    return key, [*bucket.missing], [*bucket.missing.values()], bucket.at, full
