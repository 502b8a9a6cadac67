"""SQL conditions on jobs that indexes answer.

They are made from :data:`wfx.store.job_filters.JOB_FILTERS`. Those on workflow, state and group come down to one, on
the states of workflows (see ``0001_initial.sql``).
"""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from wfx.domain.json import Json, decode, encode
from wfx.domain.query import JobQuery
from wfx.store.job_filters import JOB_FILTERS, Source

_MERGED = 100
"""So many ordered parts are merged; from more (a workflow may have thousands of states) the jobs are sorted."""
_LOOKS = 8
"""So many looks into an index take as long as reading a job's row."""
AT_ONCE = 50_000
"""Numbers to read at once, so that other threads have their turn with the interpreter in between."""


class Fragment(NamedTuple):
    """A part of a statement, and the values for its marks."""

    sql: str
    values: Sequence[Any]

    def and_all(self, tests: Iterable[Fragment]) -> Fragment:
        """Add tests; there is a WHERE already."""
        tests = list(tests)
        return Fragment(
            " AND ".join([self.sql, *(test.sql for test in tests)]),
            [*self.values, *(value for test in tests for value in test.values)],
        )


def read_numbers(connection: sqlite3.Connection, numbers: Fragment) -> list[int]:
    """Read numbers as one text: row by row the thread would have to wait for the interpreter each time."""
    text = connection.execute(f"SELECT group_concat(number) FROM ({numbers.sql})", numbers.values).fetchone()[0]
    read: list[int] = [] if text is None else decode(Json(f"[{text}]".encode()))
    return read


@dataclass(frozen=True)
class Condition:
    """That a column has one of some values."""

    column: str
    values: Sequence[Any]

    @property
    def is_short(self) -> bool:
        """Whether the values are few enough to look for each on its own."""
        return len(self.values) <= _MERGED

    @property
    def test(self) -> Fragment:
        """The condition on the column."""
        if not self.is_short:
            return Fragment(f"{self.column} IN (SELECT value FROM json_each(?))", [encode(self.values).decode()])
        return Fragment(f"{self.column} IN ({','.join('?' * len(self.values))})", self.values)

    @property
    def search(self) -> Fragment:
        """What finds jobs by this condition; in the order of creation if it has one value."""
        sql, values = self.test
        if self.column == "tag" and not self.is_short:
            sql = f"number IN (SELECT job FROM job_tag WHERE {sql})"
            return Fragment(f"FROM job AS found NOT INDEXED WHERE {sql}", values)
        return Fragment(f"FROM {_INDEXES[self.column].format('found')} WHERE {sql}", values)

    def test_beside(self, driver: Condition) -> Fragment:
        """The condition on a job that the driver found."""
        sql, values = self.test
        if (driver.column, self.column) == ("client_id", "workflow_state"):
            return Fragment(sql, values)  # both are in the index that the driver goes by
        if self.column == "workflow_state" and len(values) > _LOOKS:
            row = "(SELECT workflow_state FROM job WHERE number = found.number)"
            return Fragment(sql.replace("workflow_state", row, 1), values)
        index = _INDEXES[self.column].format("other")
        return Fragment(f"EXISTS (SELECT 1 FROM {index} WHERE {sql} AND other.number = found.number)", values)

    @property
    def singly(self) -> Sequence[Condition]:
        """One condition for each value, or this one if they are too many."""
        return [Condition(self.column, [value]) for value in self.values] if self.is_short else [self]

    @property
    def overlapping(self) -> bool:
        """Whether a job may fulfil several of the conditions that this comes to singly."""
        return self.column == "tag" and len(self.singly) > 1

    @property
    def looks(self) -> int:
        """How many looks into its index the condition takes on a job that was found otherwise."""
        return min(len(self.values), _LOOKS) if self.column == "workflow_state" else len(self.values)


_INDEXES = {
    **{one.column: f"job AS {{}} INDEXED BY {one.index}" for one in JOB_FILTERS if one.source is Source.JOB},
    "workflow_state": "job AS {} INDEXED BY job_workflow_state",
    "tag": "(SELECT tag, job AS number FROM job_tag) AS {}",
}
_STATE_TESTS = {
    "workflow": "workflow = (SELECT number FROM workflow WHERE name = ? AND deleted IS NULL)",
}
"""Tests on the columns of a state that do not have the filter's values as they are."""


def conditions_of(connection: sqlite3.Connection, query: JobQuery) -> list[Condition]:
    """Return what jobs must fulfil, all of it. What is said of states holds within one snapshot."""
    wanted = [(one, values) for one in JOB_FILTERS if (values := one.wanted(query))]
    conditions = [Condition(one.column, values) for one, values in wanted if one.source is not Source.STATE]
    if tests := [_state_test(one.column, values) for one, values in wanted if one.source is Source.STATE]:
        conditions.append(Condition("workflow_state", states_with_jobs(connection, tests)))
    return conditions


def _state_test(column: str, values: Sequence[str]) -> Fragment:
    if (test := _STATE_TESTS.get(column)) is not None:
        return Fragment(test, values)
    return Condition(f'"{column}"', values).test


def states_with_jobs(connection: sqlite3.Connection, tests: Iterable[Fragment] = ()) -> list[int]:
    """Return the states that match and have jobs."""
    inhabited = Fragment(
        "SELECT number FROM workflow_state "
        "WHERE EXISTS (SELECT 1 FROM job WHERE workflow_state = workflow_state.number)",
        [],
    )
    return [row[0] for row in connection.execute(*inhabited.and_all(tests))]
