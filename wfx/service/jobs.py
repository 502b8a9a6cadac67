"""Use cases of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from wfx.domain import creation, definition, tags, transition
from wfx.domain.definition import Definition
from wfx.domain.job import HistoryEntry, Job, Status
from wfx.domain.query import Item, JobQuery, Page, Rest
from wfx.domain.workflow import Actor
from wfx.service.cause import present_cause
from wfx.store.protocol import Store

HISTORY_LIMIT = 8192
"""History entries shown at most (rest-api section 6.3)."""


class Jobs:
    """Use cases on jobs; all raise what :class:`wfx.store.protocol.Store` raises."""

    def __init__(self, store: Store) -> None:
        """Work on this store."""
        self._store = store

    async def create(
        self, workflow: str, *, client_id: str, definition: Definition | None, tags: Sequence[str] | None
    ) -> Job:
        """Start a job of the workflow for a client; what is None was not given."""
        decide = partial(creation.decide, client_id=client_id, definition=definition, tags=tags)
        size = 0 if definition is None else len(definition.encoded)
        return await self._store.create_job(workflow, decide, size=size, cause=present_cause())

    async def get(self, job_id: str, room: int) -> Job:
        """Return one job. Raises NoRoom."""
        return await self._store.get_job(job_id, room)

    async def history(self, job: Job, room: int) -> Page[HistoryEntry]:
        """Return what the job was before this version of it, newest first."""
        return await self._store.get_history(job.id, HISTORY_LIMIT, before=job.version, room=room)

    async def query(self, query: JobQuery, room: int) -> Page[Job]:
        """Return a page of jobs."""
        return await self._store.query_jobs(query, room)

    async def read_on(self, rest: Rest[Item], room: int) -> Page[Item]:
        """Return what follows of a page."""
        return await self._store.read_on(rest, room)

    async def update_status(self, job_id: str, wanted: Status, actor: Actor) -> Job:
        """Move the job along its workflow. Raises TransitionRefused."""
        decide = partial(transition.decide, wanted=wanted, actor=actor)
        size = len(wanted.context or b"")
        return await self._store.change_job(job_id, decide, size=size, cause=present_cause())

    async def update_definition(self, job_id: str, wanted: Definition) -> Job:
        """Replace the definition as a whole."""
        decide = partial(definition.decide, wanted=wanted)
        return await self._store.change_job(job_id, decide, size=len(wanted.encoded), cause=present_cause())

    async def add_tags(self, job_id: str, names: Sequence[str]) -> Job:
        """Add tags that are not there yet."""
        return await self._store.change_job(job_id, partial(tags.add, tags=names), cause=present_cause())

    async def delete_tags(self, job_id: str, names: Sequence[str]) -> Job:
        """Remove tags; names that are not there are ignored."""
        return await self._store.change_job(job_id, partial(tags.remove, tags=names), cause=present_cause())

    async def delete(self, job_id: str) -> None:
        """Delete the job with its history."""
        await self._store.delete_job(job_id, cause=present_cause())
