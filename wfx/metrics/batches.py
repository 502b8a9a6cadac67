"""Counters of the batches of changes that are handed to the store."""

from __future__ import annotations

from wfx.histogram import SECONDS, Histogram

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Batches:
    """Sizes of batches, and how long they took."""

    def __init__(self) -> None:
        """Start with no batch counted."""
        self.sizes = Histogram(_SIZES)
        self.seconds = Histogram(SECONDS)

    def note(self, size: int, seconds: float) -> None:
        """Count one; see :data:`wfx.store.batching.OnBatch`."""
        self.sizes.observe(size)
        self.seconds.observe(seconds)
