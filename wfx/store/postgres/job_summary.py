"""Counts of jobs by state, in one statement and so of one moment."""

from __future__ import annotations

from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobSummary
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_list import with_prefix, with_times, with_values
from wfx.store.postgres.statements import SQL


async def summarize(plain: Plain, query: JobListQuery) -> JobSummary:
    """Count the jobs of a query by state, and tell the position on the log."""
    condition = with_times(with_values(query), query)
    if query.client_prefix:
        condition = with_prefix(condition, query.client_prefix)
    rows = await plain.fetch(SQL["summarize_jobs"].replace(":condition", condition.sql), *condition.values)
    log_id, head = rows[0][:2]
    counts = {(name, group, state): jobs for _, _, name, group, state, jobs in rows if jobs}
    return JobSummary(counts, log_id, head)
