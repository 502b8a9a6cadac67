"""Rows for lists of jobs.

Indexes and bitmaps tell which jobs may be in a page, in order; of these, up to a bound, the rows are looked at for the
conditions that no index answers.
"""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from pyroaring import BitMap64

from wfx.domain.job_list import ALWAYS, JobListQuery, JobRow
from wfx.domain.json import encode
from wfx.domain.query import Paging
from wfx.store import job_lists
from wfx.store.job_lists import LOOKED_AT_FIRST, most_candidates, page_of
from wfx.store.sqlite import job_search
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.job_facets import Condition, Fragment, conditions_of, read_numbers
from wfx.store.sqlite.job_search import Search, few_of, needs_looks, search_by, thinnest
from wfx.store.sqlite.sealed_rows import LISTED_JOB, opened
from wfx.store.sqlite.statements import SQL

_NUMBERS = Condition("number", [])
"""Stands for jobs that were found by their numbers."""


def all_conditions_of(connection: sqlite3.Connection, query: JobListQuery) -> list[Condition]:
    """Return what indexes answer of a query."""
    every = [Condition("tag", [tag]) for tag in dict.fromkeys(query.all_tags)]
    return conditions_of(connection, query.jobs) + every


def list_rows(
    connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps
) -> tuple[tuple[JobRow, ...], int | None]:
    """Return the rows of a page, and where the next one begins."""
    candidates = _candidates(connection, query, bitmaps, most_candidates(query))
    found = _found(connection, query, candidates[:LOOKED_AT_FIRST])
    if len(found) <= query.limit and len(candidates) > LOOKED_AT_FIRST:
        found += _found(connection, query, candidates[LOOKED_AT_FIRST:])
    numbers, following = page_of(query, candidates, found[: query.limit + 1])
    listed = connection.execute(SQL["rows_of_list"], (_encoded(numbers),))
    rows = {row[0]: row[1:] for row in opened(connection, LISTED_JOB, listed)}
    states = {row[2] for row in rows.values()}
    names = {number: each for number, *each in connection.execute(SQL["names_of_states"], (_encoded(list(states)),))}
    shown = ((*rows[number][:2], *names[rows[number][2]], *rows[number][3:]) for number in numbers)
    return tuple(JobRow(*each) for each in shown), following


def select(
    connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps, *, with_ids: bool
) -> tuple[int, tuple[tuple[int, str], ...], int | None]:
    """Count the next jobs that fulfil a query; return numbers and ids, if asked for, and where the next ones begin."""
    candidates = _candidates(connection, query, bitmaps, job_lists.LOOKED_AT)
    following = job_lists.end_of(candidates)
    if not with_ids and not query.needs_rows:
        return len(candidates), (), following
    what, order = ("number, id", f"ORDER BY number {_order(query)}") if with_ids else ("count(*)", "")
    sql = f"SELECT {what} FROM job WHERE number IN (SELECT value FROM json_each(?))"
    sql, values = Fragment(sql, [_encoded(candidates)]).and_all(row_tests(query, "+client_id"))
    rows = connection.execute(f"{sql} {order}", values).fetchall()
    return (len(rows), tuple(rows), following) if with_ids else (rows[0][0], (), following)


def _found(connection: sqlite3.Connection, query: JobListQuery, candidates: Sequence[int]) -> list[tuple[int, int]]:
    """Return numbers and sizes of those that fulfil all conditions, up to one more than the page has."""
    sql = "SELECT number, size FROM job WHERE number IN (SELECT value FROM json_each(?))"
    sql, values = Fragment(sql, [_encoded(candidates)]).and_all(row_tests(query, "+client_id"))
    return connection.execute(f"{sql} ORDER BY number {_order(query)} LIMIT ?", [*values, query.limit + 1]).fetchall()


def row_tests(query: JobListQuery, client_id: str) -> list[Fragment]:
    """Return the conditions that no index answers; a sign before the column of client ids keeps its index out."""
    tests = []
    if (query.created, query.modified) != (ALWAYS, ALWAYS):
        sql = "stime >= ? AND stime < ? AND mtime >= ? AND mtime < ?"
        tests.append(Fragment(sql, [*query.created, *query.modified]))
    if query.client_prefix:
        tests.append(Fragment(f"{client_id} >= ? AND {client_id} < CAST(? AS TEXT)", _prefix(query)))
    return tests


def search_of(connection: sqlite3.Connection, query: JobListQuery) -> Search | None:
    """Return the search for the jobs that the indexes leave; None if they leave all, or only the prefix tells them."""
    conditions = all_conditions_of(connection, query)
    few = few_of(connection, conditions)
    search = None if few or not query.client_prefix else _search_by_prefix(connection, query, conditions)
    if search is None and conditions:
        return search_by(conditions, few or thinnest(connection, conditions, _paging(query)))
    return search


def _candidates(connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps, most: int) -> list[int]:
    """Return the next jobs, in order, that fulfil the conditions that indexes answer."""
    conditions = all_conditions_of(connection, query)
    few = few_of(connection, conditions)
    search = None if few or not query.client_prefix else _search_by_prefix(connection, query, conditions)
    if search is None:
        if few is None and needs_looks(conditions) and bitmaps.follow(connection):
            return _part(bitmaps.find(connection, conditions), query, most)
        search = search_by(conditions, few or thinnest(connection, conditions, _paging(query)))
    if query.after is not None:
        search = search.behind(query.after, _paging(query))
    numbers, values = search.numbers
    sql = f"SELECT number FROM ({numbers} ORDER BY number {_order(query)} LIMIT ?)"
    return sorted(read_numbers(connection, Fragment(sql, [*values, most])), reverse=query.descending)


def _search_by_prefix(
    connection: sqlite3.Connection, query: JobListQuery, conditions: Sequence[Condition]
) -> Search | None:
    """Return the search among the jobs of clients whose ids begin so; None if they are many."""
    sql = SQL["numbers_by_prefix"]
    numbers = [number for (number,) in connection.execute(sql, (*_prefix(query), job_search.FEW))]
    if len(numbers) >= job_search.FEW:
        return None
    found = Fragment("FROM job AS found WHERE number IN (SELECT value FROM json_each(?))", [_encoded(numbers)])
    return Search([found.and_all([condition.test_beside(_NUMBERS) for condition in conditions])])


def _part(numbers: BitMap64, query: JobListQuery, most: int) -> list[int]:
    if query.descending:
        end = len(numbers) if query.after is None else numbers.rank(query.after - 1)
        return list(reversed(numbers[max(end - most, 0) : end]))
    start = 0 if query.after is None else numbers.rank(query.after)
    return list(numbers[start : start + most])


def _prefix(query: JobListQuery) -> list[Any]:
    return [query.client_prefix, query.client_prefix.encode() + b"\xff"]


def _paging(query: JobListQuery) -> Paging:
    return Paging(descending=query.descending)


def _order(query: JobListQuery) -> str:
    return "DESC" if query.descending else "ASC"


def _encoded(numbers: Sequence[int]) -> str:
    return encode(numbers).decode()
