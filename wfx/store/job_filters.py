"""Filters on jobs: one table of the conditions that GET /jobs knows, from which every backend makes its own.

All of these say that a job has one of some values, so an index answers them. A filter of another kind, such as a
comparison of times, is no row of this table, but a condition in the SQL of each backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery


class Source(Enum):
    """Where a backend with tables has a filter's values."""

    JOB = "a column of the job's row, with an index of its own"
    STATE = "a column of the row of the job's state in its workflow"
    TAG = "a column of the rows of the job's tags"


@dataclass(frozen=True, slots=True)
class JobFilter:
    """That a job has one of some values."""

    parameter: str
    """The name of the parameter of GET /jobs."""
    source: Source
    column: str
    wanted: Callable[[JobQuery], Sequence[str]]
    """The values that a query asks for; with none it sets no condition."""
    values: Callable[[Job], Sequence[str]]
    """The values that a job has."""
    changes_with: str = ""
    """The member of a job with which its values may change; empty if they never do."""
    index: str = ""
    """The index on the column of a job's row."""


def _one(value: str) -> Sequence[str]:
    return (value,) if value else ()


JOB_FILTERS = (
    JobFilter(
        "clientId", Source.JOB, "client_id",
        lambda query: _one(query.client_id), lambda job: (job.client_id,), index="job_client",
    ),
    JobFilter("tag", Source.TAG, "tag", lambda query: query.tags, lambda job: decode(job.tags), "tags"),
    JobFilter(
        "workflow", Source.STATE, "workflow",
        lambda query: _one(query.workflow), lambda job: (job.workflow.name,),
    ),
    JobFilter("state", Source.STATE, "state", lambda query: _one(query.state), lambda job: (job.state,), "state"),
    JobFilter(
        "group", Source.STATE, "group",
        lambda query: query.groups, lambda job: (job.workflow.group_of(job.state),), "state",
    ),
)  # fmt: skip


def matches(query: JobQuery, job: Job) -> bool:
    """Tell whether the job fulfils all conditions of the query."""
    return all(
        not (wanted := one.wanted(query)) or any(value in wanted for value in one.values(job)) for one in JOB_FILTERS
    )
