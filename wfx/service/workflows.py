"""Use cases of workflows."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from wfx.domain.query import Page, Paging
from wfx.domain.workflow import Workflow
from wfx.service.guard import Guard
from wfx.service.request_cause import present_cause
from wfx.store.protocol import Store


class Workflows:
    """Use cases on workflows; all raise what :class:`wfx.store.protocol.Store` raises."""

    def __init__(self, store: Store, guard: Guard) -> None:
        """Work on this store, within what the guard allows."""
        self._store = store
        self._guard = guard

    async def create(self, checked: Workflow) -> Workflow:
        """Store a workflow that was found to be well-formed (:func:`wfx.domain.validation.check`)."""
        create = partial(self._store.create_workflow, checked, cause=present_cause())
        if not self._guard.watched.current.changes:
            return await create()
        return await self._guard.in_time(lambda command: create(begin=command.begin))

    async def get(self, name: str) -> Workflow:
        """Return one workflow."""
        return await self._store.get_workflow(name)

    async def existing(self, names: Collection[str]) -> set[str]:
        """Return those of the names that workflows have."""
        return await self._store.workflow_names(names)

    async def query(self, paging: Paging, room: int) -> Page[Workflow]:
        """Return a page of workflows by name."""
        return await self._store.query_workflows(paging, room)

    async def delete(self, name: str) -> None:
        """Delete a workflow that no job uses."""
        delete = partial(self._store.delete_workflow, name, cause=present_cause())
        if not self._guard.watched.current.changes:
            return await delete()
        return await self._guard.in_time(lambda command: delete(begin=command.begin))
