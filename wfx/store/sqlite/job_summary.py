"""Counts of jobs by state: from bitmaps in memory, or from the index entries of few jobs.

Even to count the entries of the index of states takes 40 ms with a million jobs. A bitmap knows how many jobs it has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from wfx.domain.job_list import JobListQuery
from wfx.domain.json import encode
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.job_facets import Condition, Fragment, states_with_jobs
from wfx.store.sqlite.job_list import all_conditions_of, row_tests, search_of
from wfx.store.sqlite.job_search import few_of, search_by, thinnest
from wfx.store.sqlite.statements import SQL

_STATE = "workflow_state"
_MOST_STATES = 1000
"""So many bitmaps of states are kept at most; jobs in more states are counted in the index."""


def counts_by_state(
    connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps
) -> dict[tuple[str, str, str], int]:
    """Count the jobs of a query by the names of workflow, group and state; what has no jobs is left out.

    Indexes have to answer all its conditions.
    """
    conditions = all_conditions_of(connection, query)
    few = few_of(connection, conditions)
    counts = None if few else _from_bitmaps(connection, conditions, bitmaps)
    if counts is None:
        counts = _from_indexes(connection, conditions, few or thinnest(connection, conditions, query.jobs.paging))
    return _named(connection, counts)


def counts_by_row(connection: sqlite3.Connection, query: JobListQuery) -> dict[tuple[str, str, str], int]:
    """Count as :func:`counts_by_state` does, by a look at each row that the indexes leave.

    It is one statement, and meanwhile the interpreter is free for others.
    """
    search = search_of(connection, query)
    if search is not None:
        numbers, values = search.numbers
        found, column = Fragment(f"FROM job WHERE number IN ({numbers})", values), "+client_id"
    elif query.client_prefix:
        found, column = Fragment("FROM job INDEXED BY job_client WHERE TRUE", []), "client_id"
    else:
        found, column = Fragment("FROM job NOT INDEXED WHERE TRUE", []), "client_id"
    sql, values = found.and_all(row_tests(query, column))
    counts = connection.execute(f"SELECT workflow_state, count(*) {sql} GROUP BY workflow_state", values)
    return _named(connection, dict(counts.fetchall()))


def _named(connection: sqlite3.Connection, counts: Mapping[int, int]) -> dict[tuple[str, str, str], int]:
    found = {number: count for number, count in counts.items() if count}
    rows = connection.execute(SQL["names_of_states"], (encode(list(found)).decode(),))
    return {(workflow, group, state): found[number] for number, workflow, group, state in rows}


def _from_bitmaps(
    connection: sqlite3.Connection, conditions: Sequence[Condition], bitmaps: Bitmaps
) -> Mapping[int, int] | None:
    """Count by the numbers of states; None where bitmaps would be too many, or cannot tell."""
    others = [condition for condition in conditions if condition.column != _STATE]
    wanted = [condition.values for condition in conditions if condition.column == _STATE]
    states = wanted[0] if wanted else states_with_jobs(connection)
    if len(states) > _MOST_STATES or not all(condition.is_short for condition in others):
        return None
    if not bitmaps.follow(connection):
        return None
    found = bitmaps.find(connection, others) if others else None
    singly = {state: bitmaps.find(connection, [Condition(_STATE, [state])]) for state in states}
    return {state: len(jobs if found is None else jobs & found) for state, jobs in singly.items()}


def _from_indexes(
    connection: sqlite3.Connection, conditions: Sequence[Condition], driver: Condition | None
) -> Mapping[int, int]:
    """Count by the numbers of states, by a look at an index entry of each job."""
    if all(condition is driver and condition.column == _STATE for condition in conditions):
        sql, values = driver.test if driver else ("TRUE", ())
        sql = f"FROM job INDEXED BY job_workflow_state WHERE {sql}"
    else:
        numbers, values = search_by(conditions, driver).numbers
        sql = f"FROM job WHERE number IN ({numbers})"
    return dict(connection.execute(f"SELECT workflow_state, count(*) {sql} GROUP BY workflow_state", values).fetchall())
