"""Searches for jobs: which jobs match, page by page, and how many there are."""
# ruff: noqa: S608 - the texts put together are constants of this package; all that callers give is bound

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from wfx.domain.job import Job
from wfx.domain.query import JobQuery, Page, Rest
from wfx.store.job_filters import JOB_FILTERS
from wfx.store.postgres.connections import Connections, Plain
from wfx.store.postgres.rows import FITS, SHOWN, WORKFLOW, Row, job_of
from wfx.store.postgres.sealed_rows import JOB, opened, sealing_of
from wfx.store.postgres.statements import rows_of_page
from wfx.store.postgres.texts import key_of
from wfx.store.postgres.workflows import Workflows

_MOST = 2**63 - 1
_AT_ONCE = 1000
"""Jobs of which rows are read in one statement."""
_ONE = {
    "clientId": "left(client_id, 500) = left({0}, 500) AND client_id = {0}",
    "tag": "number IN (SELECT number FROM job_tag WHERE tag = {})",
    "workflow": "workflow = (SELECT number FROM current_workflow WHERE name = {})",
    "state": "state = {}",
    "group": "grp = {}",
}
"""That a job has a value, by the parameter of GET /jobs."""
_ANY = {**_ONE, "tag": "tag_keys && {}", "group": "grp = ANY ({})"}
"""That it has one of an array of values."""
_TAGGED = {False: {**_ANY, "tag": "tag = ANY ({})"}, True: {**_ONE, "tag": "tag = {}"}}
"""The same of rows of ``job_tag``, by whether there is one value."""
_COUNTED = {**_ONE, "tag": "tag = {}"}
"""The same of rows of counts."""
_OF_TAGS = {"tag", "workflow"}
"""What the rows of ``job_tag`` can tell."""


class Condition(NamedTuple):
    """Which jobs are searched."""

    sql: str
    """``WHERE …``, or empty."""
    values: Sequence[Any]
    table: str = "job"
    """What is searched: ``job``, or ``job_tag``, which has a job once for each of its tags."""

    @property
    def counting(self) -> str:
        """Make the query for the number of jobs."""
        return f"SELECT count({'*' if self.table == 'job' else 'DISTINCT number'}) FROM {self.table} {self.sql}"

    def and_all(self, test: str, *values: Any) -> Condition:
        """Add a test, whose marks go on behind those that there are."""
        sql = f"{self.sql} AND {test}" if self.sql else f"WHERE {test}"
        return self._replace(sql=sql, values=[*self.values, *values])


class MoreJobs(NamedTuple):
    """Where a page goes on: the numbers of all its jobs, and how many of them are done."""

    numbers: array[int]
    done: int
    descending: bool


def condition_of(query: JobQuery) -> Condition:
    """Make the condition of a query; the first value has the mark ``$1``."""
    return _condition(query, "job", {True: _ONE, False: _ANY})


def condition_of_counts(query: JobQuery) -> Condition:
    """Make the condition on counts of jobs, those of a tag if it has one; the tag has the mark ``$1`` then."""
    return _condition(query, "tag_count" if query.tags else "job_count", {True: _COUNTED, False: _ANY})


def condition_of_tags(query: JobQuery) -> Condition | None:
    """Make the condition on ``job_tag``; None if there is one that its rows cannot tell of, or none on tags."""
    asked = {each.parameter for each in JOB_FILTERS if each.wanted(query)}
    return _condition(query, "job_tag", _TAGGED) if "tag" in asked <= _OF_TAGS else None


def _condition(query: JobQuery, table: str, known: Mapping[bool, Mapping[str, str]]) -> Condition:
    tests, values = [], []
    for each in JOB_FILTERS:
        if wanted := [value for value in each.wanted(query) if "\0" not in value]:
            wanted = [*map(key_of, wanted)] if each.parameter == "tag" else wanted
            values.append(wanted[0] if len(wanted) == 1 else wanted)
            mark = f"${len(values)}::{'text' if len(wanted) == 1 else 'text[]'}"
            tests.append(known[len(wanted) == 1][each.parameter].format(mark))
        elif each.wanted(query):
            tests.append("false")  # a value that PostgreSQL's texts cannot have
    return Condition(f"WHERE {' AND '.join(tests)}" if tests else "", values, table)


class JobSearch:
    """Searches on connections that searches have to themselves."""

    def __init__(self, connections: Connections, workflows: Workflows) -> None:
        self._connections = connections
        self._workflows = workflows

    async def page(self, query: JobQuery, room: int) -> Page[Job]:
        """Return a page of jobs: which ones, and how many there are in all, is decided at one moment."""
        paging = query.paging
        is_short = 0 < paging.limit <= _AT_ONCE and not paging.with_total
        read = partial(self._short if is_short else self._long, query=query, room=room)
        return await self._connections.read(read)

    async def go_on(self, more: MoreJobs, room: int) -> Page[Job]:
        """Return those of the next jobs that are still there, each as it is now."""
        return await self._connections.read(partial(self._piece, more=more, room=room))

    async def _short(self, plain: Plain, query: JobQuery, room: int) -> Page[Job]:
        sql, values, _ = _numbers(query)
        paging = query.paging
        mark = f"${len(values) + 1}::bigint"
        rows = await plain.fetch(rows_of_page(sql, mark, descending=paging.descending), *values, room)
        return await self._fitting(plain, rows, MoreJobs(array("q", [row[0] for row in rows]), 0, paging.descending))

    async def _long(self, plain: Plain, query: JobQuery, room: int) -> Page[Job]:
        sql, values, _ = _numbers(query)
        paging, total = query.paging, None
        async with plain.transaction(isolation="repeatable_read", readonly=True):
            found = await plain.fetchval(f"SELECT array_agg(number) FROM ({sql}) AS page", *values)
            if paging.with_total:
                counted = condition_of_tags(query) or condition_of(query)
                total = await plain.fetchval(counted.counting, *counted.values)
            page = await self._piece(plain, MoreJobs(array("q", found or ()), 0, paging.descending), room)
        return Page(page.items, total, page.rest)

    async def _piece(self, plain: Plain, more: MoreJobs, room: int) -> Page[Job]:
        some = more.numbers[more.done : more.done + _AT_ONCE].tolist()
        if not some:
            return Page(())
        sql = rows_of_page("SELECT unnest($1::bigint[]) AS number", "$2::bigint", descending=more.descending)
        return await self._fitting(plain, await plain.fetch(sql, some, room), more)

    async def _fitting(self, plain: Plain, rows: Sequence[Row], more: MoreJobs) -> Page[Job]:
        """Make a page of the rows that fit, with the rest that follows them."""
        fit = [row for row in rows if row[FITS]]
        workflows = await self._workflows.numbered(plain, {row[WORKFLOW] for row in fit})
        jobs = tuple(
            job_of(row, workflows) for row in opened(sealing_of(plain), JOB, fit) if row[WORKFLOW] in workflows
        )
        if len(fit) < len(rows):
            following = rows[len(fit)]
            done = more.numbers.index(following[0], more.done)
            return Page(jobs, rest=Rest(more._replace(done=done), following[SHOWN]))
        done = min(more.done + _AT_ONCE, len(more.numbers))
        return Page(jobs, rest=Rest(more._replace(done=done)) if done < len(more.numbers) else None)


def _numbers(query: JobQuery) -> Condition:
    """Select the numbers of the jobs of a page, in order; those that have one tag are in order in ``job_tag``."""
    condition = condition_of(query)
    if len(query.tags) == 1:
        condition = condition_of_tags(query) or condition
    paging = query.paging
    order, first = "DESC" if paging.descending else "ASC", len(condition.values) + 1
    part = f"LIMIT ${first}::bigint OFFSET ${first + 1}::bigint"
    sql = f"SELECT number FROM {condition.table} {condition.sql} ORDER BY number {order} {part}"
    limit = paging.limit if paging.limit > 0 else None
    return Condition(sql, [*condition.values, limit, min(max(paging.offset, 0), _MOST)])
