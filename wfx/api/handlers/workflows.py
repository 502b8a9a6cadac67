"""Operations on workflows."""

from __future__ import annotations

from wfx.api.call import Call
from wfx.api.errors import unknown_workflow
from wfx.api.paging import paging_of, write_page
from wfx.api.reply import Reply, json_reply
from wfx.domain.errors import WorkflowNotFound


async def query(call: Call) -> Reply:
    """GET /workflows."""
    paging = paging_of(call.query)
    page = await call.services.workflows.query(paging)
    return write_page(page, paging, lambda workflow: workflow.encoded)


async def create(call: Call) -> Reply:
    """POST /workflows."""
    created = await call.services.workflows.create(call.body)
    return json_reply(created.encoded, 201)


async def get(call: Call) -> Reply:
    """GET /workflows/{name}."""
    workflow = await call.services.workflows.get(call.key)
    return json_reply(workflow.encoded)


async def delete(call: Call) -> Reply:
    """DELETE /workflows/{name}."""
    try:
        await call.services.workflows.delete(call.key)
    except WorkflowNotFound as exc:
        return unknown_workflow(exc, status=404, message="Workflow '{}' not found")
    return Reply(204)
