"""Counts of jobs by state, in one statement and so of one moment."""

from __future__ import annotations

from wfx.domain.query import JobQuery, JobSummary
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_search import condition_of
from wfx.store.postgres.statements import SQL


async def summarize(plain: Plain, query: JobQuery) -> JobSummary:
    """Count the jobs of a query by state, and tell the position on the log."""
    condition = condition_of(query)
    rows = await plain.fetch(SQL["summarize_jobs"].replace(":condition", condition.sql), *condition.values)
    log_id, head = rows[0][:2]
    counts = {(name, group, state): jobs for _, _, name, group, state, jobs in rows if jobs}
    return JobSummary(counts, log_id, head)
