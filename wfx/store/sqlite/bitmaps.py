"""Bitmap indexes in memory: the jobs that meet a condition, for totals and deep pages.

A condition's jobs are read from its index when it is first asked for. From then on the writer tells which jobs may have
come to fulfil other conditions, and before the next search those are read anew, as its own snapshot shows them. So what
is found is always of that snapshot, and writers do nothing but note a number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from pyroaring import BitMap64

from wfx.domain.json import Json, decode, encode
from wfx.store.bounded_cache import BoundedCache
from wfx.store.figures import CacheFigures
from wfx.store.job_filters import JOB_FILTERS, Source
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.job_facets import AT_ONCE, Condition, Fragment, read_numbers
from wfx.store.sqlite.rows import Position
from wfx.store.sqlite.statements import SQL

_ROOM = 32 * 1024 * 1024
"""Bytes to hold at most."""
_OVERHEAD = 8 * 1024
"""Bytes that a bitmap counts for beside two for each job: more than it takes, since each also takes time to follow."""

_COLUMNS = [one.column for one in JOB_FILTERS if one.source is Source.JOB]
_VALUES_OF_JOBS = SQL["values_of_jobs"].replace(":columns", ", ".join(_COLUMNS))

_Key = tuple[str, Any]
"""A column and a value."""


class Bitmaps:
    """Conditions' jobs by number. Belongs to the thread that searches."""

    def __init__(self, dirty_jobs: DirtyJobs, room: int = _ROOM) -> None:
        self._dirty_jobs = dirty_jobs
        self._kept: BoundedCache[_Key, BitMap64] = BoundedCache(room, _size)

    def figures(self) -> CacheFigures:
        """Tell how the bitmaps do; any thread may ask."""
        return CacheFigures("bitmaps", len(self._kept), self._kept.hits, self._kept.misses)

    def follow(self, connection: sqlite3.Connection) -> bool:
        """Bring everything to what the connection's snapshot shows. Returns False if that cannot be."""
        if self._dirty_jobs.follow():
            self._kept.clear()
        head = Position.read(connection).head
        numbers = self._dirty_jobs.until(head)
        if numbers is None:
            return False
        self._read_anew(connection, numbers)
        self._dirty_jobs.drop(head)
        return True

    def find(self, connection: sqlite3.Connection, conditions: Sequence[Condition]) -> BitMap64:
        """Return the jobs that fulfil all of the conditions, of which there is one at least."""
        return BitMap64.intersection(*(self._fulfilling(connection, condition) for condition in conditions))

    def _fulfilling(self, connection: sqlite3.Connection, condition: Condition) -> BitMap64:
        return BitMap64.union(BitMap64(), *(self._of(connection, one) for one in condition.singly))

    def _of(self, connection: sqlite3.Connection, condition: Condition) -> BitMap64:
        key = (condition.column, condition.values[0])
        jobs = self._kept.get(key)
        if jobs is None:
            jobs = _read(connection, condition)
            self._kept.put(key, jobs)
        return jobs

    def _read_anew(self, connection: sqlite3.Connection, numbers: Collection[int]) -> None:
        kept = self._kept.all()
        if not kept or not numbers:
            return
        rows = connection.execute(_VALUES_OF_JOBS, (encode(list(numbers)).decode(),)).fetchall()
        # A search may be interrupted while it reads, but not from here on.
        changed = BitMap64(numbers)
        for jobs in kept.values():
            jobs.difference_update(changed)
        for number, state, tags, *values in rows:
            keys = [
                *zip(_COLUMNS, values, strict=True),
                ("workflow_state", state),
                *(("tag", tag) for tag in decode(Json(tags.encode()))),
            ]
            for key in keys:
                if key in kept:
                    kept[key].add(number)


def _read(connection: sqlite3.Connection, condition: Condition) -> BitMap64:
    found, values = condition.search
    some = f"SELECT number {found} AND number > ? ORDER BY number LIMIT {AT_ONCE}"
    jobs, last = BitMap64(), 0
    while numbers := read_numbers(connection, Fragment(some, [*values, last])):
        jobs.update(numbers)
        last = jobs.max()
    return jobs


def _size(jobs: BitMap64) -> int:
    return _OVERHEAD + 2 * len(jobs)
