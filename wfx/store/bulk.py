"""Bulk requests as stores see them: slices of items that are done together, and records by idempotency keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wfx.domain.job import Job

KEPT = 24 * 3600 * 1_000_000
"""Microseconds for which a record is kept."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of newer records beside which one of a request that is done need not be kept any more."""
_ROW_BYTES = 4096
"""Bytes that a record counts beside what it holds."""


@dataclass(frozen=True, slots=True)
class BulkRecord:
    """What is kept of a bulk request with an idempotency key; see :meth:`wfx.store.protocol.Store.open_bulk`."""

    fingerprint: str
    """Tells another request with the same key."""
    content: str
    """What the request is about, in the words of its caller."""
    total: int
    """How many items it has."""
    done: int = 0
    """How many of them were done."""
    failed: int = 0
    """How many of these were refused."""

    @property
    def size(self) -> int:
        """How many bytes count for it, the results of its slices apart."""
        return _ROW_BYTES + len(self.content.encode())

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.done >= self.total


class ItemOutcome(NamedTuple):
    """What became of one item."""

    before: Job | None
    """The job as it was; None if there was none."""
    after: Job | None
    """The job as it is then; None if there is none, or if the item was refused."""
    error: Exception | None
    """Why it was refused."""


class SliceResult(NamedTuple):
    """What is told of a slice."""

    items: int
    """How many items were done; the first ones."""
    failed: int
    """How many of them were refused."""
    text: str
    """What is kept of them."""
    created: Sequence[str] = ()
    """The workflows of the jobs that were created; this is not kept."""


TellSlice = Callable[[Sequence[ItemOutcome]], SliceResult]
"""Says what to keep of a slice; pure, since it may be asked more than once."""


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """What is written of a slice beside its changes."""

    key: str | None
    """The idempotency key; None if nothing is kept."""
    holder: str
    """Who carries the request out."""
    ttl: int
    """For how many microseconds others leave it to the holder."""
    done: int
    """How many items must have been done before."""
    result: SliceResult
