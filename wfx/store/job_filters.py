"""Filters on jobs: one table of the conditions that GET /jobs knows, from which all stores make theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery


class JobFilter(NamedTuple):
    """That a job has one of some values."""

    parameter: str
    """The name of the query's parameter."""
    column: str
    """The column of the SQL tables that has the value: of a job's row, of its place, or of its tags."""
    wanted: Callable[[JobQuery], Sequence[str]]
    """The values that a query asks for; with none it sets no condition."""
    values: Callable[[Job], Sequence[str]]
    """The values that a job has."""


def _one(value: str) -> Sequence[str]:
    return (value,) if value else ()


JOB_FILTERS = (
    JobFilter("clientId", "job.client_id", lambda query: _one(query.client_id), lambda job: (job.client_id,)),
    JobFilter("state", "place.state", lambda query: _one(query.state), lambda job: (job.state,)),
    JobFilter("workflow", "place.workflow", lambda query: _one(query.workflow), lambda job: (job.workflow.name,)),
    JobFilter("group", "place.group", lambda query: query.groups, lambda job: (job.workflow.group_of(job.state),)),
    JobFilter("tag", "job_tag.tag", lambda query: query.tags, lambda job: decode(job.tags)),
)


def matches(query: JobQuery, job: Job) -> bool:
    """Tell whether the job fulfils all conditions of the query."""
    return all(
        not (wanted := one.wanted(query)) or any(value in wanted for value in one.values(job)) for one in JOB_FILTERS
    )
