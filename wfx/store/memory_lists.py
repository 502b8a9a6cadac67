"""Lists of jobs in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wfx.domain.job import Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.json import decode
from wfx.store import job_lists
from wfx.store.job_filters import matches
from wfx.store.job_lists import accepts, most_candidates, page_of, row_of
from wfx.store.memory_jobs import MemoryJob
from wfx.store.sizes import size_of


def list_jobs(query: JobListQuery, stored: Iterable[MemoryJob], log_id: str, head: int) -> JobList:
    """Return a page of the jobs, which come in the order of their creation."""
    ordered = {each.number: each.job for each in stored}
    candidates = _candidates(query, ordered, most_candidates(query))
    found = [(number, size_of(ordered[number])) for number in candidates if accepts(query, ordered[number])]
    numbers, following = page_of(query, candidates, found[: query.limit + 1])
    return JobList(tuple(row_of(ordered[number]) for number in numbers), following, log_id, head)


def select_jobs(
    query: JobListQuery, stored: Iterable[MemoryJob], log_id: str, head: int, *, with_ids: bool
) -> JobSelection:
    """Tell which of the next jobs fulfil a query."""
    ordered = {each.number: each.job for each in stored}
    candidates = _candidates(query, ordered, job_lists.LOOKED_AT)
    found = tuple((number, ordered[number].id) for number in candidates if accepts(query, ordered[number]))
    return JobSelection(len(found), found if with_ids else (), job_lists.end_of(candidates), log_id, head)


def _candidates(query: JobListQuery, ordered: Mapping[int, Job], most: int) -> list[int]:
    """Return the next jobs, in order, that fulfil the conditions that indexes answer elsewhere."""
    return [
        number
        for number in sorted(ordered, reverse=query.descending)
        if _is_behind(number, query)
        and matches(query.jobs, ordered[number])
        and set(query.all_tags) <= set(decode(ordered[number].tags))
    ][:most]


def _is_behind(number: int, query: JobListQuery) -> bool:
    return query.after is None or (number < query.after if query.descending else number > query.after)
