"""Counts of jobs by state, in one statement and so of one moment.

Each batch keeps the numbers of jobs in each state of each workflow, so where nothing else is asked for they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobSummary
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_list import with_prefix, with_times, with_values
from wfx.store.postgres.job_search import condition_of
from wfx.store.postgres.statements import SQL

_AT_ONCE = 20_000
"""Jobs that are counted while no others are changed."""


async def summarize(plain: Plain, query: JobListQuery) -> JobSummary:
    """Count the jobs of a query by state, and tell the position on the log."""
    if _asks_for_states(query):
        condition = condition_of(query.jobs)
        rows = await plain.fetch(SQL["read_counts"].replace(":condition", condition.sql), *condition.values)
        if rows[0][2]:
            return _summary([(*row[:2], *row[3:]) for row in rows])
    condition = with_times(with_values(query), query)
    if query.client_prefix:
        condition = with_prefix(condition, query.client_prefix)
    return _summary(await plain.fetch(SQL["summarize_jobs"].replace(":condition", condition.sql), *condition.values))


async def count_more(plain: Plain) -> bool:
    """Count some of the jobs that were not counted yet, and tell whether it is worth to go on at once."""
    await plain.execute(SQL["forget_counts"])
    is_true, is_all = await plain.fetchrow(SQL["is_counted"]) or (True, True)
    if is_all:
        return False
    await plain.execute(SQL["count_more"].replace(":most", str(_AT_ONCE)))
    return is_true  # else some other program is at work here, and may spoil it again


def _asks_for_states(query: JobListQuery) -> bool:
    return not (query.needs_rows or query.all_tags or query.jobs.tags or query.jobs.client_id)


def _summary(rows: Sequence[Sequence[Any]]) -> JobSummary:
    log_id, head = rows[0][:2]
    return JobSummary({(name, group, state): jobs for _, _, name, group, state, jobs in rows if jobs}, log_id, head)
