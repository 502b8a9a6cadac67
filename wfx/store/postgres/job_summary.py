"""Counts of jobs by state, in one statement and so of one moment.

Each batch keeps the numbers of jobs in each state of each workflow, and the same of each tag that many jobs have, so
where nothing else is asked for they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobSummary
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_list import with_prefix, with_times, with_values
from wfx.store.postgres.job_search import Condition, condition_of, condition_of_counts
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.texts import key_of

_AT_ONCE = 20_000
"""Jobs that are counted while no others are changed."""
_TAGGED_AT_ONCE = 5000
"""The same of counts of tags, for which rows of jobs are read."""
_MANY = 2000
"""Jobs of which a tag is counted; those of a tag that fewer have are looked at."""
_FEW = 500
"""Jobs below which a tag is counted no more."""
_JOINED = 4
"""Tags of one job of which each is looked up; PostgreSQL would not find the best order of more."""
_TAGS = 500
"""Tags that are counted after an import; later as many as there are statistics of."""


async def summarize(plain: Plain, query: JobListQuery) -> JobSummary:
    """Count the jobs of a query by state, and tell the position on the log."""
    if (counts := _of_counts(query)) is not None:
        sql, values = counts
        rows = await plain.fetch(sql, *values)
        if rows[0][2]:
            return _summary([(*row[:2], *row[3:]) for row in rows])
    condition = with_times(_with_tags(query), query)
    if query.client_prefix:
        condition = with_prefix(condition, query.client_prefix)
    return _summary(await plain.fetch(SQL["summarize_jobs"].replace(":condition", condition.sql), *condition.values))


async def count_more(plain: Plain) -> bool:
    """Count some of the jobs that were not counted yet, and tell whether it is worth to go on at once."""
    added = await _add_shifts(plain)
    await _choose_tags(plain)
    jobs_true, jobs_all, tags_true, tags_all = await plain.fetchrow(SQL["is_counted"]) or (True,) * 4
    if not jobs_all:
        await plain.execute(SQL["count_more"].replace(":most", str(_AT_ONCE)))
    if not tags_all:
        sql = SQL["count_more_of_tags"].replace(":add", SQL["add_shifts"].replace("LIMIT :most", ""))
        await plain.execute(sql.replace(":most", str(_TAGGED_AT_ONCE)))
    # Where what was counted is not true some other program is at work here, and may spoil it again.
    return added or (jobs_true and not jobs_all) or (tags_true and not tags_all)


async def _add_shifts(plain: Plain) -> bool:
    """Add some of what has changed to the counts of tags, and tell whether there was more."""
    if not await plain.fetchval(SQL["has_shifts"]):
        return False
    await plain.execute(SQL["add_shifts"].replace(":most", str(_AT_ONCE)))
    return bool(await plain.fetchval(SQL["has_shifts"]))


async def count_imported(plain: Plain) -> None:
    """Count all jobs of a database that nobody else changes."""
    await plain.execute(SQL["count_imported"], _MANY, _TAGS)


async def _choose_tags(plain: Plain) -> None:
    """Choose which tags are counted, and drop what is of no use any more."""
    await plain.execute(SQL["forget_tags"], _FEW)
    await plain.execute(SQL["forget_counts"])
    await plain.execute(SQL["forget_counts_of_tags"])
    await plain.execute(SQL["choose_tags"], _MANY)


def _of_counts(query: JobListQuery) -> tuple[str, Sequence[Any]] | None:
    """Return the statement that reads counts, and its values; None if they cannot answer the query."""
    tags = {*query.all_tags, *query.jobs.tags}
    if query.needs_rows or query.jobs.client_id or len(tags) > 1 or "\0" in "".join(tags):
        return None
    condition = condition_of_counts(replace(query.jobs, tags=tuple(tags)))
    return SQL["read_counts_of_tag" if tags else "read_counts"].replace(":condition", condition.sql), condition.values


def _with_tags(query: JobListQuery) -> Condition:
    """Make the condition of what indexes answer, so that the rarest of several tags comes first."""
    if len(query.all_tags) > _JOINED or "\0" in "".join(query.all_tags):
        return with_values(query)
    condition = condition_of(query.jobs)
    for tag in query.all_tags:
        test = f"number IN (SELECT number FROM job_tag WHERE tag = ${len(condition.values) + 1}::text)"  # noqa: S608
        condition = condition.and_all(test, key_of(tag))
    return condition


def _summary(rows: Sequence[Sequence[Any]]) -> JobSummary:
    log_id, head = rows[0][:2]
    return JobSummary({(name, group, state): jobs for _, _, name, group, state, jobs in rows if jobs}, log_id, head)
