"""Previews of bulk requests: the first jobs that a request is about, and how many of all it could not change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from wfx.domain.errors import JobNotFound, WfxError, WorkflowNotFound
from wfx.domain.job import Job
from wfx.domain.job_list import JobListQuery, JobRow
from wfx.domain.workflow import Workflow
from wfx.service.bulk_work import JobResult, JobWork
from wfx.store.protocol import NoRoom, Store

FIRST = 20
"""Jobs that a dry run shows."""
_PAGE = 500
"""Rows that are looked at together."""
_TOGETHER = 32
"""Jobs that are read at the same time."""
_ROOM = 64 * 1024
"""Bytes of a job that is looked at as a whole; of a larger one it is not told whether it could be changed."""


@dataclass(slots=True)
class BulkPreview:
    """What a request would do, as the jobs are now; limits on how often work may begin are left out."""

    failed: int = 0
    _failing: list[JobResult] = field(default_factory=list)
    _others: list[JobResult] = field(default_factory=list)

    @property
    def first(self) -> Sequence[JobResult]:
        """The first jobs: those that could not be changed before all others."""
        return [*self._failing, *self._others][:FIRST]

    def add(self, result: JobResult) -> None:
        """Take in what is told of the next job."""
        self.failed += result.error is not None
        kept = self._others if result.error is None else self._failing
        if len(kept) < FIRST:
            kept.append(result)


class Previews:
    """Makes previews; all methods raise what the store raises."""

    def __init__(self, store: Store) -> None:
        """Look at the jobs of this store, and change none."""
        self._store = store

    async def of_ids(self, ids: Sequence[str], work: JobWork) -> BulkPreview:
        """Look at the jobs with these ids."""
        preview = BulkPreview()
        for start in range(0, len(ids), _TOGETHER):
            some = (self._result_of(job_id, work) for job_id in ids[start : start + _TOGETHER])
            for result in await asyncio.gather(*some):
                preview.add(result)
        return preview

    async def of_selection(self, query: JobListQuery, count: int, work: JobWork) -> BulkPreview:
        """Look at the first jobs of a query, so many at most; of work that no job refuses, at those that are shown."""
        preview, workflows = BulkPreview(), dict[str, Workflow]()
        async for row in self._rows(query, count if work.may_be_refused else min(count, FIRST)):
            if row.workflow not in workflows:
                try:
                    workflows[row.workflow] = await self._store.get_workflow(row.workflow)
                except WorkflowNotFound:  # it was deleted meanwhile, with its jobs
                    continue
            preview.add(await self._result_of_row(row, workflows[row.workflow], work))
        return preview

    async def _rows(self, query: JobListQuery, count: int) -> AsyncIterator[JobRow]:
        left = count
        while left > 0:
            page = await self._store.list_jobs(replace(query, limit=min(left, _PAGE)))
            left -= len(page.rows)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            query = replace(query, after=page.next)

    async def _result_of_row(self, row: JobRow, workflow: Workflow, work: JobWork) -> JobResult:
        job = Job(
            row.id, row.client_id, workflow, row.state, row.status, "", None, row.tags, row.stime, row.mtime
        )  # fmt: skip
        error = _refusal(work, job)
        if error is not None and work.depends_on_whole(job):
            return await self._result_of(row.id, work)
        return JobResult(row.id, row.client_id, row.state, "", error)

    async def _result_of(self, job_id: str, work: JobWork) -> JobResult:
        try:
            job = await self._store.get_job(job_id, _ROOM)
        except JobNotFound as exc:
            return JobResult(job_id, "", "", "", exc)
        except NoRoom:
            return JobResult(job_id, "", "", "", None)
        return JobResult(job.id, job.client_id, job.state, "", _refusal(work, job))


def _refusal(work: JobWork, job: Job) -> WfxError | None:
    try:
        work.check(job)
    except WfxError as exc:
        return exc.with_traceback(None)
    return None
