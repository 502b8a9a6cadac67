"""Job queries as SQL that looks at little more than it returns.

Left to itself SQLite picks an index without knowing how much each condition leaves: for a device that asks for its open
jobs it would read the open jobs of the whole fleet. So a look at some index entries comes first, the statement names
the index to go by, and the other conditions are checked on the way, by a look into their indexes: entries are small, a
job's row is large. Conditions on workflow, state and group come down to one, on the jobs' places (see
``0001_initial.sql``).
"""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from wfx.domain.json import encode
from wfx.domain.query import JobQuery, Paging
from wfx.store.sqlite.rows import JOB_COLUMNS, Row

_NO_LIMIT = -1
_MOST = 2**63 - 1
_FEW = 1000
"""So many index entries are gone through in about a millisecond: nothing needs to be found faster."""
_MERGED = 100
"""So many ordered parts are merged; from more (a workflow may have thousands of states) the jobs are sorted."""
_LOOKS = 8
"""So many looks into an index take as long as reading a job's row."""


class Fragment(NamedTuple):
    """A part of a statement, and the values for its marks."""

    sql: str
    values: Sequence[Any]


class Selection(NamedTuple):
    """Where the jobs are that match: ``FROM … WHERE …``, to select their ``number`` from."""

    parts: Sequence[Fragment]
    """Each able to deliver its jobs in the order of creation."""
    overlapping: bool = False
    """Whether a job may be in several parts."""

    def page(self, connection: sqlite3.Connection, paging: Paging) -> list[Row]:
        """Read the rows of one page, in the order of creation."""
        order = "DESC" if paging.descending else "ASC"
        numbers, values = self.numbers
        return connection.execute(
            f"SELECT {JOB_COLUMNS} FROM job LEFT JOIN definition ON definition.job = job.number "
            f"WHERE number IN (SELECT number FROM ({numbers} ORDER BY number {order} LIMIT ? OFFSET ?)) "
            f"ORDER BY number {order}",
            [*values, *bounds(paging)],
        ).fetchall()

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


def bounds(paging: Paging) -> tuple[int, int]:
    """Return LIMIT and OFFSET as SQLite takes them."""
    return (paging.limit if paging.limit > 0 else _NO_LIMIT, min(max(paging.offset, 0), _MOST))


def select(connection: sqlite3.Connection, query: JobQuery) -> Selection:
    """Choose how to find the jobs. What is chosen holds within one snapshot."""
    conditions = _conditions(connection, query)
    driver = _driver(connection, conditions, descending=query.paging.descending)
    if driver is None:
        return Selection([Fragment("FROM job", [])])
    tests = [condition.test_beside(driver) for condition in conditions if condition is not driver]
    parts = [_and(one.search, tests) for one in driver.singly]
    return Selection(parts or [Fragment("FROM job WHERE FALSE", [])], overlapping=driver.overlapping)


@dataclass(frozen=True)
class _Condition:
    """That a column has one of some values."""

    column: str
    values: Sequence[Any]

    @property
    def test(self) -> Fragment:
        """The condition on the column."""
        if len(self.values) > _MERGED:
            return Fragment(f"{self.column} IN (SELECT value FROM json_each(?))", [encode(self.values).decode()])
        return Fragment(f"{self.column} IN ({','.join('?' * len(self.values))})", self.values)

    @property
    def search(self) -> Fragment:
        """What finds jobs by this condition; in the order of creation if it has one value."""
        sql, values = self.test
        if self.column == "tag" and len(values) > _MERGED:
            sql = f"number IN (SELECT job FROM job_tag WHERE {sql})"
            return Fragment(f"FROM job AS found NOT INDEXED WHERE {sql}", values)
        return Fragment(f"FROM {_INDEXES[self.column].format('found')} WHERE {sql}", values)

    def test_beside(self, driver: _Condition) -> Fragment:
        """The condition on a job that the driver found."""
        sql, values = self.test
        if (driver.column, self.column) == ("client_id", "place"):
            return Fragment(sql, values)  # both are in the index that the driver goes by
        if self.column == "place" and len(values) > _LOOKS:
            row = "(SELECT place FROM job WHERE number = found.number)"
            return Fragment(sql.replace("place", row, 1), values)
        index = _INDEXES[self.column].format("other")
        return Fragment(f"EXISTS (SELECT 1 FROM {index} WHERE {sql} AND other.number = found.number)", values)

    @property
    def singly(self) -> Sequence[_Condition]:
        """One condition for each value, or this one if they are too many."""
        return [self] if len(self.values) > _MERGED else [_Condition(self.column, [value]) for value in self.values]

    @property
    def overlapping(self) -> bool:
        """Whether a job may fulfil several of the conditions that this comes to singly."""
        return self.column == "tag" and len(self.singly) > 1

    @property
    def looks(self) -> int:
        """How many looks into its index the condition takes on a job that was found otherwise."""
        return min(len(self.values), _LOOKS) if self.column == "place" else len(self.values)

    def reach(self, connection: sqlite3.Connection, order: str) -> int | None:
        """Return the number of the job by which, in this order, no longer few were found; None if there is none."""
        numbers, values = Selection([one.search for one in self.singly]).numbers
        sql = f"SELECT number FROM ({numbers} ORDER BY number {order} LIMIT 1 OFFSET {_FEW})"
        found: tuple[int] | None = connection.execute(sql, values).fetchone()
        return None if found is None else found[0]


_INDEXES = {
    "client_id": "job AS {} INDEXED BY job_client",
    "place": "job AS {} INDEXED BY job_place",
    "tag": "(SELECT tag, job AS number FROM job_tag) AS {}",
}


def _conditions(connection: sqlite3.Connection, query: JobQuery) -> list[_Condition]:
    conditions = [_Condition("client_id", [query.client_id])] if query.client_id else []
    if query.tags:
        conditions.append(_Condition("tag", query.tags))
    if query.workflow or query.state or query.groups:
        conditions.append(_Condition("place", _places(connection, query)))
    return conditions


def _places(connection: sqlite3.Connection, query: JobQuery) -> list[int]:
    """Return the places that match and have jobs."""
    tests = []
    if query.workflow:
        named = "workflow = (SELECT number FROM workflow WHERE name = ? AND deleted IS NULL)"
        tests.append(Fragment(named, [query.workflow]))
    if query.state:
        tests.append(Fragment("state = ?", [query.state]))
    if query.groups:
        tests.append(_Condition('"group"', query.groups).test)
    inhabited = Fragment("SELECT number FROM place WHERE EXISTS (SELECT 1 FROM job WHERE place = place.number)", [])
    return [row[0] for row in connection.execute(*_and(inhabited, tests))]


def _driver(
    connection: sqlite3.Connection, conditions: Sequence[_Condition], *, descending: bool
) -> _Condition | None:
    """Choose what to find the jobs by: the first condition that leaves few, or else the cheapest way to find many.

    The further apart a condition's jobs are, the fewer of them have to be looked at; what a look costs is up to the
    others.
    """
    for condition in conditions:
        sql, values = condition.search
        if _count(connection, f"FROM (SELECT 1 {sql} LIMIT {_FEW})", values) < _FEW:
            return condition
    if len(conditions) < 2:
        return next(iter(conditions), None)
    looks = sum(condition.looks for condition in conditions)
    spreads = _spreads(connection, conditions, descending=descending)
    worth = [spread / (looks - condition.looks) for condition, spread in zip(conditions, spreads, strict=True)]
    return conditions[worth.index(max(worth))]


def _spreads(connection: sqlite3.Connection, conditions: Sequence[_Condition], *, descending: bool) -> Iterator[int]:
    """Tell for each condition how far one has to go in the order of the page until its jobs are no longer few."""
    newest: int = connection.execute("SELECT coalesce(max(number), 0) FROM job").fetchone()[0]
    for condition in conditions:
        if len(condition.values) > _MERGED:
            yield 0  # all its jobs are collected and sorted in any case
        else:
            reached = condition.reach(connection, "DESC" if descending else "ASC")
            yield newest if reached is None else newest - reached if descending else reached


def _count(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> int:
    count: int = connection.execute(f"SELECT count(*) {sql}", values).fetchone()[0]
    return count


def _and(fragment: Fragment, tests: Iterable[Fragment]) -> Fragment:
    """Add tests to a fragment that has a WHERE already."""
    tests = list(tests)
    return Fragment(
        " AND ".join([fragment.sql, *(test.sql for test in tests)]),
        [*fragment.values, *(value for test in tests for value in test.values)],
    )
