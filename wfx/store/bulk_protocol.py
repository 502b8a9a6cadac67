"""Contract of every store for bulk requests; see :mod:`wfx.store.protocol` for what holds of every operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from wfx.store.bulk import BulkRecord, SliceResult, TellSlice

if TYPE_CHECKING:  # it needs the decisions of the contract
    from wfx.store.operations import JobOperation

HELD = 10
"""Seconds for which the store that carries out a bulk request need not give a sign of it."""


class BulkStore(Protocol):
    """What a store does for requests about many jobs."""

    async def read_bulk(self, key: str) -> BulkRecord | None:
        """Return what is kept of the bulk request with this idempotency key; None if nothing is."""

    async def open_bulk(self, key: str, record: BulkRecord) -> BulkRecord:
        """Keep the record of a bulk request unless there is one with its key; return what is kept, to be carried out.

        Until :data:`HELD` seconds after its last slice, no other store is given it. Raises IdempotencyKeyReused if the
        one that is there has another fingerprint, and IdempotencyKeyInUse while another store carries it out. Those of
        the same store see to that themselves.
        """

    async def take_slice(
        self, key: str | None, done: int, items: Sequence[Sequence[JobOperation]], tell: TellSlice
    ) -> SliceResult:
        """Do items of a bulk request and write down what ``tell`` says of them, in one transaction.

        Each item is some operations on one job, done in order, each item on another job; where one is refused, the
        item is. Large jobs end a slice early, so only the first items may be done, one at least. With a key, nothing
        happens unless ``done`` items were done before: then it raises IdempotencyKeyInUse, since somebody else has gone
        on. Raises whatever the store raises that cannot write; then nothing has happened.
        """

    async def bulk_results(self, key: str) -> Sequence[str]:
        """Return what was written of the slices of a bulk request, in order."""
