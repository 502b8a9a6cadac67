"""Limits the histories of jobs: drops the middle of one that is too long or too large.

The first entries and the newest stay. The entry after the first ones becomes the marker of those that are dropped:
it keeps its time and its state, and its message says how many there were. The dropped entries are deleted in pieces,
like the histories of deleted jobs (``spec/decisions/0025-bounded-histories.md``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from wfx.domain.job import Status
from wfx.domain.json import Json, decode
from wfx.store.plan import MOST_HISTORY_BYTES, MOST_HISTORY_ENTRIES, PendingJob, Plan
from wfx.store.sqlite.batch_sql import statements
from wfx.store.sqlite.connection import transaction
from wfx.store.sqlite.statements import SQL

_FIRST_ENTRIES, _FIRST_BYTES = 100, MOST_HISTORY_BYTES // 8
_NEWEST_ENTRIES, _NEWEST_BYTES = MOST_HISTORY_ENTRIES // 2, MOST_HISTORY_BYTES // 2


class _Link(NamedTuple):
    """One entry in the chain of a history."""

    number: int
    version: int
    size: int


def write(connection: sqlite3.Connection, plan: Plan) -> None:
    """Write what the plan says in one transaction, and keep the histories of its jobs within their bounds."""
    with transaction(connection):
        for sql, values in statements(plan):
            connection.execute(sql, values)
        for image in plan.images:
            if image.has_long_history:
                _trim(connection, image)


def _trim(connection: sqlite3.Connection, image: PendingJob) -> None:
    links = [_Link(*row) for row in connection.execute(SQL["history_links"], (image.newest_entry,))]
    newest = links[: _fitting(links, _NEWEST_ENTRIES, _NEWEST_BYTES)]
    first = links[-_count_of_first(links) :]
    middle = links[len(newest) : len(links) - len(first)]
    if not middle:
        return
    marker, *_ = first
    dropped = newest[-1].version - marker.version
    size = _mark(connection, marker, dropped)
    connection.execute(SQL["cut_history"], (marker.number, newest[-1].number))
    connection.execute(SQL["cut_history"], (None, middle[-1].number))
    connection.execute(SQL["leave_entries"], (middle[0].number,))
    image.history_bytes -= sum(link.size for link in middle) + marker.size - size
    image.history_dropped += len(middle)
    connection.execute(SQL["trimmed_job"], (image.history_bytes, image.history_dropped, image.number))


def _count_of_first(links: Sequence[_Link]) -> int:
    """Return how many of the oldest entries stay, the marker included."""
    for place in range(len(links) - 1):
        if links[place].version > links[place + 1].version + 1:
            return len(links) - place - 1
    return _fitting(links[::-1], _FIRST_ENTRIES, _FIRST_BYTES) + 1


def _fitting(links: Sequence[_Link], most: int, most_bytes: int) -> int:
    """Return how many of the entries fit into both bounds; at least one."""
    for count, link in enumerate(links):
        most_bytes -= link.size
        if count and (count >= most or most_bytes < 0):
            return count
    return len(links)


def _mark(connection: sqlite3.Connection, marker: _Link, dropped: int) -> int:
    """Make the entry the marker of ``dropped`` entries, itself among them; return its new bytes."""
    (text,) = connection.execute(SQL["entry_status"], (marker.number,)).fetchone()
    state = decode(Json(text.encode()))["state"]
    status = Status(state, message=f"{dropped} entries of the history were dropped here").encoded
    connection.execute(SQL["mark_entry"], (status.decode(), marker.number))
    return len(status)
