"""Records of bulk requests as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wfx.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from wfx.store import bulk
from wfx.store.bulk import KEPT, BulkRecord, SliceRecord
from wfx.store.operations import OpenBulk
from wfx.store.sqlite.sealed_rows import BULK_CONTENT, opened, opened_text, sealed_text, sealing_of
from wfx.store.sqlite.statements import SQL

_RESULTS = "bulk_slice.results"


def read(connection: sqlite3.Connection, key: str) -> BulkRecord | None:
    """Return the record; None if there is none."""
    row = next(iter(opened(connection, BULK_CONTENT, connection.execute(SQL["bulk_request"], (key,)))), None)
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
    content = sealed_text(sealing_of(connection), "bulk_content.content", record.fingerprint, record.content)
    connection.execute(SQL["insert_bulk_content"], (number, content))
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
    told = sealed_text(sealing_of(connection), _RESULTS, row[1], text)
    connection.execute(SQL["insert_bulk_slice"], (row[0], written.done, told))


def results(connection: sqlite3.Connection, key: str) -> Sequence[str]:
    """Return what is kept of the slices, in order."""
    sealing, rows = sealing_of(connection), connection.execute(SQL["bulk_results"], (key,))
    return [opened_text(sealing, _RESULTS, fingerprint, text) for text, fingerprint in rows]


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
