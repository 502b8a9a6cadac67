"""Searches for jobs that read little more than they return.

Left to itself SQLite picks an index without knowing how much each condition leaves: for a device that asks for its open
jobs it would read the open jobs of the whole fleet. So a look at some index entries comes first, the statement names
the index to go by, and the other conditions are checked on the way, by a look into their indexes: entries are small, a
job's row is large. Where that would be a look at each of a great many jobs, bitmaps in memory tell the jobs instead.
"""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from pyroaring import BitMap64

from wfx.domain.json import encode
from wfx.domain.query import JobQuery, Paging
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.job_facets import AT_ONCE, Condition, Fragment, conditions_of, read_numbers
from wfx.store.sqlite.rows import JOB_COLUMNS

_NO_LIMIT = -1
_MOST = 2**63 - 1
FEW = 1000
"""So many index entries are gone through in about a millisecond: nothing needs to be found faster."""


class Selection(Protocol):
    """The jobs that match."""

    def page(self, connection: sqlite3.Connection, paging: Paging, largest: int) -> sqlite3.Cursor:
        """Read the rows of one page, in the order of creation; of jobs of more bytes than ``largest`` no documents."""

    def numbers_of(self, connection: sqlite3.Connection, paging: Paging) -> BitMap64:
        """Read the numbers of the jobs of one page."""

    def total(self, connection: sqlite3.Connection) -> int:
        """Count the jobs."""


class Search(NamedTuple):
    """Where the jobs are: ``FROM … WHERE …``, to select their ``number`` from."""

    parts: Sequence[Fragment]
    """Each able to deliver its jobs in the order of creation."""
    overlapping: bool = False
    """Whether a job may be in several parts."""

    def page(self, connection: sqlite3.Connection, paging: Paging, largest: int) -> sqlite3.Cursor:
        """Read the rows of one page, in the order of creation; of jobs of more bytes than ``largest`` no documents."""
        numbers, values = self.numbers
        order = _order(paging)
        page = f"SELECT number FROM ({numbers} ORDER BY number {order} LIMIT ? OFFSET ?)"
        return _rows(connection, Fragment(page, [*values, *bounds(paging)]), order, largest)

    def numbers_of(self, connection: sqlite3.Connection, paging: Paging) -> BitMap64:
        """Read the numbers of the jobs of one page."""
        left, offset = bounds(paging)
        part, page = self, BitMap64()
        while left:
            numbers, values = part.numbers
            some = AT_ONCE if left < 0 else min(left, AT_ONCE)
            sql = f"SELECT number FROM ({numbers} ORDER BY number {_order(paging)} LIMIT ? OFFSET ?)"
            found = BitMap64(read_numbers(connection, Fragment(sql, [*values, some, offset])))
            page |= found
            if len(found) < some:
                break
            left, offset = left - (len(found) if left > 0 else 0), 0
            part = self.behind(found.min() if paging.descending else found.max(), paging)
        return page

    def behind(self, number: int, paging: Paging) -> Search:
        """Return the search for those of the jobs that come after one of them."""
        behind = f"number {'<' if paging.descending else '>'} ?"
        return Search([
            part.and_all([Fragment(behind, [number])]) if " WHERE " in part.sql
            else Fragment(f"{part.sql} WHERE {behind}", [number])
            for part in self.parts
        ], self.overlapping)  # fmt: skip

    def total(self, connection: sqlite3.Connection) -> int:
        """Count the jobs."""
        if not self.overlapping:
            return sum(_count(connection, *part) for part in self.parts)
        numbers, values = self.numbers
        # Asking for an order has the ordered parts merged; without it all numbers would be collected in a tree.
        return _count(connection, f"FROM ({numbers} ORDER BY number LIMIT {_NO_LIMIT})", values)

    @property
    def numbers(self) -> Fragment:
        """What selects their numbers, not yet in order."""
        union = " UNION " if self.overlapping else " UNION ALL "
        sql = union.join(f"SELECT number {part.sql}" for part in self.parts)
        return Fragment(sql, [value for part in self.parts for value in part.values])


class Found(NamedTuple):
    """Which jobs they are, by number."""

    numbers: BitMap64

    def page(self, connection: sqlite3.Connection, paging: Paging, largest: int) -> sqlite3.Cursor:
        """Read the rows of one page, in the order of creation; of jobs of more bytes than ``largest`` no documents."""
        chosen = self.numbers_of(connection, paging)
        return rows_of(connection, list(chosen), largest, descending=paging.descending)

    def numbers_of(self, _connection: sqlite3.Connection, paging: Paging) -> BitMap64:
        """Return the numbers of the jobs of one page."""
        count = len(self.numbers)
        first = min(max(paging.offset, 0), count)
        last = min(first + paging.limit, count) if paging.limit > 0 else count
        return self.numbers[count - last : count - first] if paging.descending else self.numbers[first:last]

    def total(self, _connection: sqlite3.Connection) -> int:
        """Count the jobs."""
        return len(self.numbers)


def bounds(paging: Paging) -> tuple[int, int]:
    """Return LIMIT and OFFSET as SQLite takes them."""
    return (paging.limit if paging.limit > 0 else _NO_LIMIT, min(max(paging.offset, 0), _MOST))


def select(connection: sqlite3.Connection, query: JobQuery, bitmaps: Bitmaps | None = None) -> Selection:
    """Choose how to find the jobs. What is chosen holds within one snapshot."""
    conditions = conditions_of(connection, query)
    few = few_of(connection, conditions)
    if few is None and bitmaps and _goes_far(query.paging) and needs_looks(conditions) and bitmaps.follow(connection):
        return Found(bitmaps.find(connection, conditions))
    return search_by(conditions, few or thinnest(connection, conditions, query.paging))


def few_of(connection: sqlite3.Connection, conditions: Sequence[Condition]) -> Condition | None:
    """Return a condition that few jobs fulfil, if there is one: nothing needs to be found faster than by it."""
    return next((condition for condition in conditions if _leaves_few(connection, condition)), None)


def search_by(conditions: Sequence[Condition], driver: Condition | None) -> Search:
    """Make the search that finds jobs by one of the conditions and looks whether they fulfil the others."""
    if driver is None:
        return Search([Fragment("FROM job", [])])
    tests = [condition.test_beside(driver) for condition in conditions if condition is not driver]
    parts = [one.search.and_all(tests) for one in driver.singly]
    return Search(parts or [Fragment("FROM job WHERE FALSE", [])], overlapping=driver.overlapping)


def _goes_far(paging: Paging) -> bool:
    return paging.with_total or paging.offset >= FEW


def needs_looks(conditions: Sequence[Condition]) -> bool:
    """Tell whether a search would have to look at each job it finds; counting entries of an index takes less."""
    return (len(conditions) > 1 or any(condition.overlapping for condition in conditions)) and all(
        condition.is_short for condition in conditions
    )


def _leaves_few(connection: sqlite3.Connection, condition: Condition) -> bool:
    sql, values = condition.search
    return _count(connection, f"FROM (SELECT 1 {sql} LIMIT {FEW})", values) < FEW


def thinnest(connection: sqlite3.Connection, conditions: Sequence[Condition], paging: Paging) -> Condition | None:
    """Choose by which condition many jobs are found in the cheapest way.

    The further apart a condition's jobs are, the fewer of them have to be looked at; what a look costs is up to the
    others.
    """
    if len(conditions) < 2:
        return next(iter(conditions), None)
    looks = sum(condition.looks for condition in conditions)
    spreads = _spreads(connection, conditions, descending=paging.descending)
    worth = [spread / (looks - condition.looks) for condition, spread in zip(conditions, spreads, strict=True)]
    return conditions[worth.index(max(worth))]


def _spreads(connection: sqlite3.Connection, conditions: Sequence[Condition], *, descending: bool) -> Iterator[int]:
    """Tell for each condition how far one has to go in the order of the page until its jobs are no longer few."""
    newest: int = connection.execute("SELECT coalesce(max(number), 0) FROM job").fetchone()[0]
    for condition in conditions:
        if not condition.is_short:
            yield 0  # all its jobs are collected and sorted in any case
        else:
            reached = _reach(connection, condition, "DESC" if descending else "ASC")
            yield newest if reached is None else newest - reached if descending else reached


def _reach(connection: sqlite3.Connection, condition: Condition, order: str) -> int | None:
    """Return the number of the job by which, in this order, no longer few were found; None if there is none."""
    numbers, values = Search([one.search for one in condition.singly]).numbers
    sql = f"SELECT number FROM ({numbers} ORDER BY number {order} LIMIT 1 OFFSET {FEW})"
    found: tuple[int] | None = connection.execute(sql, values).fetchone()
    return None if found is None else found[0]


def rows_of(
    connection: sqlite3.Connection, numbers: Sequence[int], largest: int, *, descending: bool
) -> sqlite3.Cursor:
    """Read the rows of these jobs in order of their numbers; of those with more bytes than ``largest`` no documents."""
    listed = Fragment("SELECT value FROM json_each(?)", [encode(numbers).decode()])
    return _rows(connection, listed, "DESC" if descending else "ASC", largest)


def _rows(connection: sqlite3.Connection, numbers: Fragment, order: str, largest: int) -> sqlite3.Cursor:
    return connection.execute(
        f"SELECT {JOB_COLUMNS} FROM job LEFT JOIN definition ON definition.job = job.number "
        f"WHERE number IN ({numbers.sql}) ORDER BY number {order}",
        [largest, *numbers.values],
    )


def _order(paging: Paging) -> str:
    return "DESC" if paging.descending else "ASC"


def _count(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> int:
    count: int = connection.execute(f"SELECT count(*) {sql}", values).fetchone()[0]
    return count
