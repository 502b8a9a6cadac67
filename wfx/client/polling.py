"""Asking again and again: devices for work, operators for the outcome of a job, lists page by page."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.client.commands import Flow, Give, ItemFlow, Now, Sleep
from wfx.client.errors import (
    Denied,
    Ended,
    JobNotFound,
    Refused,
    ServerFault,
    TimedOut,
    Unavailable,
    Unreachable,
    Unreadable,
)
from wfx.client.exchanging import exchange
from wfx.client.models import Job, Workflow
from wfx.client.pauses import ONCE, Interval, Retries
from wfx.client.plans import Sort, get_job, list_jobs, list_workflows

_PAGE = 100
_LONGEST_PAUSE = 3600.0
"""Seconds that a server can make a device wait: one that asks for a year has made a mistake."""


def poll_jobs(
    retries: Retries,
    /,
    client_id: str,
    *,
    groups: Sequence[str] = ("OPEN",),
    interval: Interval = Interval(),  # noqa: B008
) -> ItemFlow[Job]:
    """Give a device the oldest of its jobs in these groups, for ever: a new one at once, the same one each interval.

    Whatever happens is waited out, with growing pauses: a server that is away or overloaded, somebody else who answers
    in its place, and one that denies, since somebody may have locked the device out by mistake. Raises Refused for
    other answers of 4xx.
    """
    backoff, before = retries.backoff(), ""
    while True:
        try:
            page = yield from exchange(list_jobs(client_id=client_id, groups=groups, limit=1), ONCE)
        except (Unreachable, Unreadable, ServerFault, Denied) as exc:
            asked = (exc.retry_after if isinstance(exc, Refused) else None) or 0.0
            yield Sleep(max(backoff.wait(), min(asked, _LONGEST_PAUSE)))
            continue
        backoff.succeeded()
        job = next(iter(page), None)
        if job is None or job.id == before:
            before = ""
            yield Sleep(interval.wait())
        else:
            before = job.id
            yield Give(job)


def wait_for(
    retries: Retries, /, job_id: str, *, states: Sequence[str] = (), groups: Sequence[str] = (),
    interval: Interval = Interval(2.0), timeout: float | None = None,  # noqa: B008
) -> Flow[Job]:  # fmt: skip
    """Return the job once it is in one of these states, or in a state of one of these groups.

    Raises Ended if that cannot happen any more, and TimedOut after ``timeout`` seconds; None is for ever.
    """
    if not states and not groups:
        raise ValueError("name a state or a group to wait for")
    deadline = None if timeout is None else (yield Now()) + timeout
    while True:
        try:
            job = yield from exchange(get_job(job_id), retries, deadline)
        except JobNotFound as exc:
            raise Ended(f"there is no job {job_id}, or no longer") from exc
        except (Unreachable, Unavailable) as exc:
            if deadline is not None and (yield Now()) >= deadline:
                raise TimedOut(f"job {job_id} could not be looked at in time: {exc}") from exc
            raise
        if _is_reached(job, states, groups):
            return job
        pause = interval.wait()
        if deadline is not None:
            left = deadline - (yield Now())
            if left <= 0:
                raise TimedOut(f"job {job_id} is still in state {job.state}")
            pause = min(pause, left)
        yield Sleep(pause)


def _is_reached(job: Job, states: Sequence[str], groups: Sequence[str]) -> bool:
    wanted = {*states, *(state for group in groups for state in job.workflow.groups.get(group, ()))}
    if job.state in wanted:
        return True
    found = frontier = {job.state}
    while frontier:
        frontier = {each.to_state for each in job.workflow.transitions if each.from_state in frontier} - found
        found = found | frontier
    if not found & wanted:
        raise Ended(f"job {job.id} is in state {job.state}, from where that cannot be reached")
    return False


def all_jobs(
    retries: Retries,
    /,
    *,
    client_id: str = "",
    state: str = "",
    groups: Sequence[str] = (),
    workflow: str = "",
    tags: Sequence[str] = (),
    sort: Sort = "asc",
) -> ItemFlow[Job]:
    """Give all jobs that meet all conditions, read page by page; of several groups or tags one suffices.

    Where jobs are deleted, or begin or cease to meet the conditions meanwhile, some may be passed over.
    """
    offset, known = 0, set[str]()
    while True:
        page = yield from exchange(
            list_jobs(
                client_id=client_id, state=state, groups=groups, workflow=workflow, tags=tags, sort=sort,
                limit=_PAGE, offset=offset,
            ),
            retries,
        )  # fmt: skip
        for job in page:
            if job.id not in known:
                yield Give(job)
        if len(page) < _PAGE:
            return
        known = {job.id for job in page}
        offset += len(page)


def all_workflows(retries: Retries, /) -> ItemFlow[Workflow]:
    """Give all workflows, read page by page."""
    offset = 0
    while True:
        page = yield from exchange(list_workflows(limit=_PAGE, offset=offset), retries)
        for workflow in page:
            yield Give(workflow)
        if len(page) < _PAGE:
            return
        offset += len(page)
