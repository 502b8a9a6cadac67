"""Use cases of jobs."""

from __future__ import annotations

import time
from collections.abc import Collection, Coroutine, Sequence
from functools import partial
from typing import Any

from wfx.domain import creation, definition, tags, transition
from wfx.domain.definition import Definition
from wfx.domain.errors import JobChanged, JobNotFound
from wfx.domain.job import Change, HistoryEntry, Job, Status
from wfx.domain.job_list import JobList, JobListQuery
from wfx.domain.query import Item, JobQuery, JobSummary, Page, Rest
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.domain.workflow import Actor
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.guard import Guard
from wfx.service.request_cause import present_cause
from wfx.store.protocol import DecideChange, Store

HISTORY_LIMIT = 8192
"""History entries shown at most (rest-api section 6.3)."""


class Jobs:
    """Use cases on jobs; all raise what :class:`wfx.store.protocol.Store` raises.

    The methods return the store's coroutines: others around them would have to be resumed as well.
    """

    def __init__(self, store: Store, guard: Guard) -> None:
        """Work on this store, within what the guard allows."""
        self._store = store
        self._guard = guard
        self.created = BoundedCounts()
        """How many jobs requests have created, by workflow; whoever awaits :meth:`create` counts."""

    def create(
        self, workflow: str, *, client_id: str, definition: Definition | None, tags: Sequence[str] | None
    ) -> Coroutine[Any, Any, Job]:
        """Start a job of the workflow for a client; what is None was not given."""
        decide = partial(creation.decide, client_id=client_id, definition=definition, tags=tags)
        size = 0 if definition is None else len(definition.encoded)
        if self._guard.watched.current.creations:
            return self._guard.create(workflow, decide, client_id=client_id, size=size, cause=present_cause())
        return self._store.create_job(workflow, decide, size=size, cause=present_cause())

    def get(self, job_id: str, room: int) -> Coroutine[Any, Any, Job]:
        """Return one job. Raises NoRoom."""
        return self._store.get_job(job_id, room)

    async def tombstone(self, job_id: str, grace: float) -> Job:
        """Return what its device is told of a job that was deleted so many seconds ago at most. Raises JobNotFound."""
        if not grace:
            raise JobNotFound
        return await self._store.get_tombstone(job_id, Timestamp(time.time_ns() // 1000 - int(grace * SECOND)))

    def history(self, job: Job, room: int) -> Coroutine[Any, Any, Page[HistoryEntry]]:
        """Return what the job was before this version of it, newest first."""
        return self._store.get_history(job.id, HISTORY_LIMIT, before=job.version, room=room)

    def query(self, query: JobQuery, room: int) -> Coroutine[Any, Any, Page[Job]]:
        """Return a page of jobs."""
        return self._store.query_jobs(query, room)

    def summarize(self, query: JobListQuery) -> Coroutine[Any, Any, JobSummary]:
        """Count jobs by workflow, group and state."""
        return self._store.summarize_jobs(query)

    def list(self, query: JobListQuery) -> Coroutine[Any, Any, JobList]:
        """Return a page of rows."""
        return self._store.list_jobs(query)

    def read_on(self, rest: Rest[Item], room: int) -> Coroutine[Any, Any, Page[Item]]:
        """Return what follows of a page."""
        return self._store.read_on(rest, room)

    def update_status(
        self, job_id: str, wanted: Status, actor: Actor, *, versions: Collection[int] | None = None
    ) -> Coroutine[Any, Any, Job]:
        """Move the job along its workflow, if it has one of these versions or none is given.

        Raises TransitionRefused and JobChanged, and what :class:`wfx.service.guard.Guard` raises.
        """
        decide = partial(transition.decide, wanted=wanted, actor=actor)
        if versions is not None:
            decide = partial(_decide_on_version, versions=versions, decide=decide)
        size = len(wanted.context or b"")
        if self._guard.watched.current.reports:
            return self._guard.report(job_id, decide, actor, size=size, cause=present_cause())
        return self._store.change_job(job_id, decide, size=size, cause=present_cause())

    def update_definition(self, job_id: str, wanted: Definition) -> Coroutine[Any, Any, Job]:
        """Replace the definition as a whole."""
        return self._change(job_id, partial(definition.decide, wanted=wanted), len(wanted.encoded))

    def add_tags(self, job_id: str, names: Sequence[str]) -> Coroutine[Any, Any, Job]:
        """Add tags that are not there yet."""
        return self._change(job_id, partial(tags.add, tags=names))

    def delete_tags(self, job_id: str, names: Sequence[str]) -> Coroutine[Any, Any, Job]:
        """Remove tags; names that are not there are ignored."""
        return self._change(job_id, partial(tags.remove, tags=names))

    def delete(self, job_id: str, *, versions: Collection[int] | None = None) -> Coroutine[Any, Any, None]:
        """Delete the job with its history, if it has one of these versions or none is given. Raises JobChanged."""
        require = None if versions is None else partial(_require_version, versions=versions)
        cause = present_cause()
        if not self._guard.watched.current.changes:
            return self._store.delete_job(job_id, require=require, cause=cause)
        timed = require or _allow
        return self._guard.in_time(
            lambda command: self._store.delete_job(job_id, require=command.timed(timed), cause=cause)
        )

    def _change(self, job_id: str, decide: DecideChange, size: int = 0) -> Coroutine[Any, Any, Job]:
        change = partial(self._store.change_job, job_id, size=size, cause=present_cause())
        if not self._guard.watched.current.changes:
            return change(decide)
        return self._guard.in_time(lambda command: change(command.timed(decide)))


def _require_version(job: Job, versions: Collection[int]) -> None:
    """Raise JobChanged if the job has another version."""
    if job.version not in versions:
        raise JobChanged(job.id, versions, job.version)


def _allow(_job: Job) -> None:
    """Have nothing against it."""


def _decide_on_version(job: Job, versions: Collection[int], decide: DecideChange) -> Change:
    _require_version(job, versions)
    return decide(job)
