"""Retention of a log in memory."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.domain.job import Event
from wfx.store.operations import PruneLog


def number_to_drop(events: Sequence[Event], operation: PruneLog, now: int) -> int:
    """Return how many of the oldest events may be dropped, whatever consumers still need."""
    oldest = operation.older_than
    last = min(max(operation.at_most, 0), len(events))
    beyond = max(0, min(last, len(events) - max(operation.keep_newest, 0)))
    # Events from the future are as old as the next one that is not, and stay where there is none.
    end = next((n for n in range(beyond, last) if oldest <= events[n].ctime <= now), last)
    told = next((event.ctime for event in events[end:] if event.ctime <= now), now)
    return end if told < oldest else max(beyond, 0, *(n + 1 for n in range(end) if events[n].ctime < oldest))
