"""What can be done with workflows."""

from __future__ import annotations

import asyncio
from typing import Any

from wfx.domain import validation
from wfx.domain.query import Page, Paging
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store


class Workflows:
    """Use cases on workflows; all raise what :class:`wfx.store.protocol.Store` raises."""

    def __init__(self, store: Store) -> None:
        """Work on this store."""
        self._store = store

    async def create(self, document: dict[str, Any]) -> Workflow:
        """Check a workflow that satisfies the OpenAPI schema, and store it. Raises WorkflowInvalid."""
        return await self._store.create_workflow(await asyncio.to_thread(_checked, document))

    async def get(self, name: str) -> Workflow:
        """Return one workflow."""
        return await self._store.get_workflow(name)

    async def query(self, paging: Paging, room: int) -> Page[Workflow]:
        """Return a page of workflows by name."""
        return await self._store.query_workflows(paging, room)

    async def delete(self, name: str) -> None:
        """Delete a workflow that no job uses."""
        await self._store.delete_workflow(name)


def _checked(document: dict[str, Any]) -> Workflow:
    """Build and check a workflow; in a thread, since the largest ones take a tenth of a second."""
    workflow = Workflow.from_wire(document)
    validation.check(workflow)
    return workflow
