"""Records of bulk requests as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wfx.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from wfx.store import bulk
from wfx.store.bulk import KEPT, BulkRecord, SliceRecord
from wfx.store.operations import OpenBulk
from wfx.store.sqlite.statements import SQL


def read(connection: sqlite3.Connection, key: str) -> BulkRecord | None:
    """Return the record; None if there is none."""
    row = connection.execute(SQL["bulk_request"], (key,)).fetchone()
    return None if row is None else BulkRecord(*row)


def open_one(connection: sqlite3.Connection, wanted: OpenBulk, now: int) -> BulkRecord:
    """Make the record unless there is one, and return it. Raises IdempotencyKeyReused."""
    if (present := read(connection, wanted.key)) is not None:
        if present.fingerprint != wanted.record.fingerprint:
            raise IdempotencyKeyReused
        return present
    record = wanted.record
    values = (wanted.key, record.fingerprint, now, record.total, record.size)
    number = connection.execute(SQL["insert_bulk_request"], values).lastrowid
    connection.execute(SQL["insert_bulk_content"], (number, record.content))
    return record


def write_slice(connection: sqlite3.Connection, written: SliceRecord) -> None:
    """Add what became of a slice. Raises IdempotencyKeyInUse unless as many items are done as it says."""
    if written.key is None:
        return
    items, failed, text, _ = written.result
    values = (items, failed, len(text.encode()), written.key, written.done)
    row = connection.execute(SQL["count_bulk_items"], values).fetchone()
    if row is None:
        raise IdempotencyKeyInUse
    connection.execute(SQL["insert_bulk_slice"], (row[0], written.done, text))


def results(connection: sqlite3.Connection, key: str) -> Sequence[str]:
    """Return what is kept of the slices, in order."""
    return [text for (text,) in connection.execute(SQL["bulk_results"], (key,))]


def drop_expired(connection: sqlite3.Connection, now: int, at_most: int) -> int:
    """Drop records that need not be kept any more, up to so many rows of them; return how many that were."""
    connection.execute(SQL["expire_bulk_requests"], (now - KEPT, bulk.MOST_BYTES, max(at_most, 0)))
    dropped = 0
    while dropped < at_most and (expired := connection.execute(SQL["first_expired_bulk_request"]).fetchone()):
        slices = connection.execute(SQL["drop_bulk_slices"], (*expired, at_most - dropped)).rowcount
        dropped += slices
        if dropped < at_most:
            connection.execute(SQL["drop_bulk_content"], expired)
            connection.execute(SQL["drop_bulk_request"], expired)
            dropped += 1
    return dropped
