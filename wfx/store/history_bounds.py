"""Bounds of a history: which entries of one that is too long or too large stay.

The first entries and the newest stay. The entry after the first ones becomes the marker of those that are dropped: it
keeps its time and its state, and its message says how many there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wfx.domain.job import HistoryEntry, Status
from wfx.domain.json import Json, decode

MOST_ENTRIES = 20_000
"""Entries that a history may have; beyond, the middle is dropped. An answer shows 8,192 of them."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes that the documents of a history may have together; beyond, the middle is dropped."""
_FIRST_ENTRIES, _FIRST_BYTES = 100, MOST_BYTES // 8
_NEWEST_ENTRIES, _NEWEST_BYTES = MOST_ENTRIES // 2, MOST_BYTES // 2


class Link(NamedTuple):
    """One entry in the chain of a history."""

    number: int
    """The store's number for it."""
    version: int
    size: int


class Cut(NamedTuple):
    """What to drop of a history."""

    newest: Link
    """The oldest of the newest entries, which stay."""
    middle: Sequence[Link]
    """The entries to drop, newest first."""
    marker: Link
    """The entry that becomes their marker."""

    @property
    def dropped(self) -> int:
        """How many entries the marker stands for, itself and those of earlier cuts among them."""
        return self.newest.version - self.marker.version


def exceeds_bounds(entries: int, size: int) -> bool:
    """Tell whether a history of so many entries and bytes is to be cut."""
    return size > MOST_BYTES or entries > MOST_ENTRIES


def cut_of(links: Sequence[Link]) -> Cut | None:
    """Choose what to drop of the entries, which come newest first; None if there is nothing between those that stay."""
    newest = links[: _fitting(links, _NEWEST_ENTRIES, _NEWEST_BYTES)]
    first = links[-_count_of_first(links) :]
    middle = links[len(newest) : len(links) - len(first)]
    return Cut(newest[-1], middle, first[0]) if middle else None


def marker_status(status: bytes, dropped: int) -> Json:
    """Return the status of an entry that has become the marker of ``dropped`` entries."""
    state = decode(Json(status))["state"]
    return Status(state, message=f"{dropped} entries of the history were dropped here").encoded


def size_of_entry(entry: HistoryEntry) -> int:
    """Return how many bytes the documents of a history entry have."""
    return len(entry.status) + len(entry.definition or b"")


def _count_of_first(links: Sequence[Link]) -> int:
    """Return how many of the oldest entries stay, the marker included."""
    for place in range(len(links) - 1):
        if links[place].version > links[place + 1].version + 1:
            return len(links) - place - 1
    return _fitting(links[::-1], _FIRST_ENTRIES, _FIRST_BYTES) + 1


def _fitting(links: Sequence[Link], most: int, most_bytes: int) -> int:
    """Return how many of the entries fit into both bounds; at least one."""
    for count, link in enumerate(links):
        most_bytes -= link.size
        if count and (count >= most or most_bytes < 0):
            return count
    return len(links)
