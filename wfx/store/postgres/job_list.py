"""Rows for lists of jobs, with the position on the log of the same moment."""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.job_list import ALWAYS, JobList, JobListQuery, JobRow, JobSelection
from wfx.store import job_lists
from wfx.store.job_lists import LOOKED_AT_FIRST, most_candidates, page_of
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_search import Condition, condition_of
from wfx.store.postgres.sealed_rows import LISTED_JOB, opened, sealing_of
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.texts import key_of
from wfx.store.prefixes import successor

_INDEXED = 500
"""Characters of a client's id that its index has."""


async def list_jobs(plain: Plain, query: JobListQuery) -> JobList:
    """Return a page of rows."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        candidates = await _candidates(plain, query, most_candidates(query))
        found = await _found(plain, query, candidates[:LOOKED_AT_FIRST])
        if len(found) <= query.limit and len(candidates) > LOOKED_AT_FIRST:
            found += await _found(plain, query, candidates[LOOKED_AT_FIRST:])
        numbers, following = page_of(query, candidates, found[: query.limit + 1])
        listed = opened(sealing_of(plain), LISTED_JOB, await plain.fetch(SQL["rows_of_list"], numbers))
        rows = {row[0]: row[1:] for row in listed}
        bounds = await plain.fetchrow(SQL["bounds"])
    assert bounds is not None
    return JobList(tuple(_shown(rows[number]) for number in numbers), following, bounds[0], bounds[2])


async def select_jobs(plain: Plain, query: JobListQuery, *, with_ids: bool) -> JobSelection:
    """Tell which of the next jobs fulfil a query."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        candidates = await _candidates(plain, query, job_lists.LOOKED_AT)
        bounds = await plain.fetchrow(SQL["bounds"])
        count, jobs = len(candidates), tuple[tuple[int, str], ...]()
        if with_ids or query.needs_rows:
            where, values, _ = _fulfilling(query, candidates)
            what, order = ("number, id", f"ORDER BY number {_order(query)}") if with_ids else ("count(*)", "")
            rows = await plain.fetch(f"SELECT {what} FROM job {where} {order}", *values)
            count, jobs = (len(rows), tuple(map(tuple, rows))) if with_ids else (rows[0][0], ())
    assert bounds is not None
    return JobSelection(count, jobs, job_lists.end_of(candidates), bounds[0], bounds[2])


def with_values(query: JobListQuery) -> Condition:
    """Make the condition of what indexes on single values answer."""
    condition = condition_of(query.jobs)
    if not query.all_tags:
        return condition
    tags = [key_of(tag) for tag in query.all_tags if "\0" not in tag]
    test = f"tag_keys @> ${len(condition.values) + 1}::text[]"
    if len(tags) < len(query.all_tags):
        test += " AND false"  # a value that PostgreSQL's texts cannot have
    return condition.and_all(test, tags)


def with_prefix(condition: Condition, prefix: str) -> Condition:
    """Add the condition on the beginning of client ids, as their index answers it."""
    if "\0" in prefix:
        return condition.and_all("false")
    behind, first = successor(prefix[:_INDEXED]), len(condition.values) + 1
    tests, values = [f"left(client_id, {_INDEXED}) >= ${first}::text"], [prefix[:_INDEXED]]
    if behind is not None:
        tests.append(f"left(client_id, {_INDEXED}) < ${first + 1}::text")
        values.append(behind)
    if len(prefix) > _INDEXED:
        tests.append(f"starts_with(client_id, ${first + len(values)}::text)")
        values.append(prefix)
    return condition.and_all(" AND ".join(tests), *values)


def with_times(condition: Condition, query: JobListQuery) -> Condition:
    """Add the conditions on times, which no index answers."""
    if (query.created, query.modified) == (ALWAYS, ALWAYS):
        return condition
    marks = [f"${len(condition.values) + place}::bigint" for place in range(1, 5)]
    test = "stime >= {} AND stime < {} AND mtime >= {} AND mtime < {}".format(*marks)
    return condition.and_all(test, *query.created, *query.modified)


async def _found(plain: Plain, query: JobListQuery, candidates: Sequence[int]) -> list[tuple[int, int]]:
    """Return numbers and sizes of those that fulfil all conditions, up to one more than the page has."""
    condition = _fulfilling(query, candidates)
    sql = f"SELECT number, size FROM job {condition.sql} ORDER BY number {_order(query)} LIMIT {query.limit + 1}"
    return [(row[0], row[1]) for row in await plain.fetch(sql, *condition.values)]


def _fulfilling(query: JobListQuery, candidates: Sequence[int]) -> Condition:
    """Make the condition of those among the candidates that fulfil what no index answers."""
    condition = with_times(Condition("WHERE number = ANY ($1::bigint[])", [candidates]), query)
    return with_prefix(condition, query.client_prefix) if query.client_prefix else condition


async def _candidates(plain: Plain, query: JobListQuery, most: int) -> list[int]:
    """Return the next jobs, in order, that fulfil the conditions that indexes answer."""
    condition = with_values(query)
    if query.client_prefix and (numbers := await _few_by_prefix(plain, query.client_prefix)) is not None:
        condition = condition.and_all(f"number = ANY (${len(condition.values) + 1}::bigint[])", numbers)
    if query.after is not None:
        test = f"number {'<' if query.descending else '>'} ${len(condition.values) + 1}::bigint"
        condition = condition.and_all(test, query.after)
    page = f"SELECT number FROM job {condition.sql} ORDER BY number {_order(query)} LIMIT {most}"
    found: list[int] | None = await plain.fetchval(f"SELECT array_agg(number) FROM ({page}) AS page", *condition.values)
    return found or []


async def _few_by_prefix(plain: Plain, prefix: str) -> list[int] | None:
    """Return the jobs of clients whose ids begin so; None if they are many, so that one finds them on the way."""
    condition, most = with_prefix(Condition("", []), prefix), job_lists.LOOKED_AT
    some = f"SELECT number FROM job {condition.sql} LIMIT {most + 1}"
    found: list[int] = await plain.fetchval(f"SELECT array_agg(number) FROM ({some}) AS few", *condition.values) or []
    return found if len(found) <= most else None


def _shown(row: Sequence[Any]) -> JobRow:
    job_id, client_id, workflow, group, state, status, tags, stime, mtime = row
    return JobRow(job_id, client_id, workflow, group, state, status.encode(), tags.encode(), stime, mtime)


def _order(query: JobListQuery) -> str:
    return "DESC" if query.descending else "ASC"
