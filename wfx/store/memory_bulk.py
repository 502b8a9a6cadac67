"""Records of bulk requests in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from wfx.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from wfx.store import bulk
from wfx.store.bulk import KEPT, BulkRecord, SliceRecord
from wfx.store.operations import OpenBulk


@dataclass(slots=True)
class _Kept:
    record: BulkRecord
    created: int
    size: int
    """How many bytes count for it."""
    results: list[str] = field(default_factory=list)


class MemoryBulk:
    """What the memory backend keeps of bulk requests."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def read(self, key: str) -> BulkRecord | None:
        """Return the record; None if there is none."""
        return kept.record if (kept := self._kept.get(key)) else None

    def open(self, wanted: OpenBulk, now: int) -> BulkRecord:
        """Make the record unless there is one, and return it. Raises IdempotencyKeyReused."""
        kept = self._kept.setdefault(wanted.key, _Kept(wanted.record, now, wanted.record.size))
        if kept.record.fingerprint != wanted.record.fingerprint:
            raise IdempotencyKeyReused
        return kept.record

    def require(self, written: SliceRecord) -> None:
        """Raise IdempotencyKeyInUse unless as many items are done as the slice says."""
        if written.key is not None:
            kept = self._kept.get(written.key)
            if kept is None or kept.record.done != written.done:
                raise IdempotencyKeyInUse

    def write(self, written: SliceRecord) -> None:
        """Add what became of a slice."""
        if written.key is not None:
            kept, (items, failed, text, _) = self._kept[written.key], written.result
            done = kept.record
            kept.record = replace(done, done=done.done + items, failed=done.failed + failed)
            kept.results.append(text)
            kept.size += len(text.encode())

    def results(self, key: str) -> Sequence[str]:
        """Return what is kept of the slices, in order."""
        return tuple(kept.results) if (kept := self._kept.get(key)) else ()

    def drop_expired(self, now: int, at_most: int) -> int:
        """Drop records that need not be kept any more; return how many."""
        newer, expired = 0, list[str]()
        for key, kept in reversed(self._kept.items()):
            if kept.created < now - KEPT or (kept.record.is_done and newer >= bulk.MOST_BYTES):
                expired.append(key)
            newer += kept.size
        dropped = expired[::-1][: max(at_most, 0)]
        for key in dropped:
            del self._kept[key]
        return len(dropped)
