"""Records of bulk requests as rows."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from wfx.store import bulk
from wfx.store.bulk import KEPT, BulkRecord
from wfx.store.operations import OpenBulk
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rows import Row
from wfx.store.postgres.sealed_rows import BULK_CONTENT, BULK_RESULTS, opened_text, sealed_text, sealing_of
from wfx.store.postgres.statements import SQL


async def read(plain: Plain, key: str) -> BulkRecord | None:
    """Return the record; None if there is none."""
    row = await plain.fetchrow(SQL["bulk_request"], key)
    return None if row is None else _record(plain, key, row)


async def open_one(plain: Plain, wanted: OpenBulk, now: int) -> BulkRecord:
    """Make the record unless there is one, take it over, and return it.

    Raises IdempotencyKeyReused, and IdempotencyKeyInUse while another server carries it out.
    """
    record = wanted.record
    content = sealed_text(sealing_of(plain), BULK_CONTENT, wanted.key, record.content)
    values = (wanted.key, record.fingerprint, content, record.total, now, wanted.holder, wanted.ttl, record.size)
    row = await plain.fetchrow(SQL["open_bulk_request"], *values)
    if row is not None:
        return _record(plain, wanted.key, row)
    present = await read(plain, wanted.key)
    if present is not None and present.fingerprint != record.fingerprint:
        raise IdempotencyKeyReused
    raise IdempotencyKeyInUse


async def results(plain: Plain, key: str) -> Sequence[str]:
    """Return what is kept of the slices, in order."""
    sealing, rows = sealing_of(plain), await plain.fetch(SQL["bulk_results"], key)
    return [opened_text(sealing, BULK_RESULTS, key, row[0]) for row in rows]


def _record(plain: Plain, key: str, row: Row) -> BulkRecord:
    fingerprint, content, *counts = row
    return BulkRecord(fingerprint, opened_text(sealing_of(plain), BULK_CONTENT, key, content), *counts)


async def drop_expired(plain: Plain, now: int, at_most: int) -> int:
    """Drop records that need not be kept any more, up to so many rows of them; return how many that were."""
    await plain.execute(SQL["expire_bulk_requests"], now - KEPT, bulk.MOST_BYTES, max(at_most, 0))
    dropped = 0
    while dropped < at_most:
        count, found = await plain.fetchrow(SQL["drop_bulk_slices"], at_most - dropped) or (0, False)
        dropped += count
        if not found:
            break
    return dropped
