"""Rows for lists of jobs, with the position on the log of the same moment."""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.job_list import JobList, JobListQuery, JobRow, JobSelection
from wfx.store import job_lists
from wfx.store.job_lists import most_candidates, page_of
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_search import Condition, condition_of
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.texts import key_of

_TIMES = "stime >= $2 AND stime < $3 AND mtime >= $4 AND mtime < $5 AND starts_with(client_id, $6)"


async def list_jobs(plain: Plain, query: JobListQuery) -> JobList:
    """Return a page of rows."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        condition = _candidates(query, most_candidates(query))
        candidates = await plain.fetchval(condition.sql, *condition.values) or []
        numbers, following = page_of(query, candidates, await _found(plain, query, candidates))
        rows = {row[0]: row[1:] for row in await plain.fetch(SQL["rows_of_list"], numbers)}
        bounds = await plain.fetchrow(SQL["bounds"])
    assert bounds is not None
    return JobList(tuple(_shown(rows[number]) for number in numbers), following, bounds[0], bounds[2])


async def select_jobs(plain: Plain, query: JobListQuery, *, with_ids: bool) -> JobSelection:
    """Tell which of the next jobs fulfil a query."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        condition = _candidates(query, job_lists.LOOKED_AT)
        candidates = await plain.fetchval(condition.sql, *condition.values) or []
        bounds = await plain.fetchrow(SQL["bounds"])
        count, jobs = len(candidates), tuple[tuple[int, str], ...]()
        if with_ids or query.needs_rows:
            tests, values = _tests(query)
            what, order = ("number, id", f"ORDER BY number {_order(query)}") if with_ids else ("count(*)", "")
            sql = f"SELECT {what} FROM job WHERE number = ANY ($1::bigint[]){tests} {order}"
            rows = await plain.fetch(sql, candidates, *values)
            count, jobs = (len(rows), tuple(map(tuple, rows))) if with_ids else (rows[0][0], ())
    assert bounds is not None
    return JobSelection(count, jobs, job_lists.end_of(candidates), bounds[0], bounds[2])


def _tests(query: JobListQuery) -> Condition:
    """Return the conditions that no index answers, behind an AND."""
    if "\0" in query.client_prefix:
        return Condition(" AND false", [])
    if not query.needs_rows:
        return Condition("", [])
    return Condition(f" AND {_TIMES}", [*query.created, *query.modified, query.client_prefix])


async def _found(plain: Plain, query: JobListQuery, candidates: Sequence[int]) -> list[tuple[int, int]]:
    """Return numbers and sizes of those that fulfil all conditions, up to one more than the page has."""
    tests, values = _tests(query)
    sql = f"SELECT number, size FROM job WHERE number = ANY ($1::bigint[]){tests}"
    rows = await plain.fetch(f"{sql} ORDER BY number {_order(query)} LIMIT {query.limit + 1}", candidates, *values)
    return [(row[0], row[1]) for row in rows]


def _candidates(query: JobListQuery, most: int) -> Condition:
    """Select an array of the next jobs that fulfil the conditions that indexes answer."""
    condition = condition_of(query.jobs)
    tests, values = [condition.sql.removeprefix("WHERE ")] if condition.sql else [], list[Any](condition.values)
    if tags := [key_of(tag) for tag in query.all_tags if "\0" not in tag]:
        values.append(tags)
        tests.append(f"tag_keys @> ${len(values)}::text[]")
    if len(tags) < len(query.all_tags):
        tests.append("false")  # a value that PostgreSQL's texts cannot have
    if query.after is not None:
        values.append(query.after)
        tests.append(f"number {'<' if query.descending else '>'} ${len(values)}::bigint")
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    page = f"SELECT number FROM job {where} ORDER BY number {_order(query)} LIMIT {most}"
    return Condition(f"SELECT array_agg(number) FROM ({page}) AS page", values)


def _shown(row: Sequence[Any]) -> JobRow:
    job_id, client_id, workflow, group, state, status, tags, stime, mtime = row
    return JobRow(job_id, client_id, workflow, group, state, status.encode(), tags.encode(), stime, mtime)


def _order(query: JobListQuery) -> str:
    return "DESC" if query.descending else "ASC"
