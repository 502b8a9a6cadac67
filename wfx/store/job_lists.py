"""What lists of jobs have in common: how much is looked at for one page, and where that ends."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.domain.job import Job
from wfx.domain.job_list import JobListQuery, JobRow
from wfx.store.sizes import fitting

LOOKED_AT = 10_000
"""Jobs whose rows are looked at for one page: a condition that little fulfils costs no more than this."""
_ROOM = 4 * 1024 * 1024
"""Bytes of documents that the jobs of a page may have; the first one has any."""


def most_candidates(query: JobListQuery) -> int:
    """Return how many of the jobs that indexes find are looked at for a page."""
    return LOOKED_AT if query.needs_rows else query.limit + 1


def page_of(
    query: JobListQuery, candidates: Sequence[int], found: Sequence[tuple[int, int]]
) -> tuple[list[int], int | None]:
    """Return the numbers of the jobs of a page, and where the next one begins.

    ``candidates`` are the jobs that were looked at, in order, and ``found`` numbers and sizes of those among them that
    fulfil all conditions, up to one more than the page has.
    """
    taken, _ = fitting(found[: query.limit], lambda each: each[1], _ROOM, at_least=1)
    numbers = [number for number, _ in taken]
    if len(taken) < len(found):
        return numbers, numbers[-1]
    return numbers, candidates[-1] if len(candidates) >= most_candidates(query) else None


def end_of(candidates: Sequence[int]) -> int | None:
    """Return where the next jobs begin behind all that one selection looks at; None if that is all."""
    return candidates[-1] if len(candidates) >= LOOKED_AT else None


def accepts(query: JobListQuery, job: Job) -> bool:
    """Tell whether a job fulfils the conditions that no index answers."""
    return (
        job.client_id.startswith(query.client_prefix)
        and query.created.since <= job.stime < query.created.until
        and query.modified.since <= job.mtime < query.modified.until
    )


def row_of(job: Job) -> JobRow:
    """Return what a list shows of a job."""
    return JobRow(
        job.id,
        job.client_id,
        job.workflow.name,
        job.group,
        job.state,
        job.status,
        job.tags,
        job.stime,
        job.mtime,
    )
