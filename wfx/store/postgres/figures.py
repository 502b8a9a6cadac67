"""Figures of the database: numbers of jobs, and what it takes."""

from __future__ import annotations

from wfx.store.figures import DatabaseFigures, JobCounts
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL


async def count_jobs(plain: Plain) -> JobCounts:
    """Count the jobs by workflow and group."""
    return {(workflow, group): number for workflow, group, number in await plain.fetch(SQL["count_jobs"])}


async def describe(plain: Plain, connections: int) -> DatabaseFigures:
    """Tell the size of the database, and which server it is on."""
    row = await plain.fetchrow(SQL["describe"])
    assert row is not None
    return DatabaseFigures(connections, {"database": row[0]}, {"kind": "postgres", "version": row[1]}, row[2])
