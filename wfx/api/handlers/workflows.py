"""Handlers that query, create, read and delete workflows."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from wfx.api.call import Call
from wfx.api.errors import unknown_workflow
from wfx.api.large_answers import document_reply
from wfx.api.paging import paging_of, write_page
from wfx.api.reply import Reply
from wfx.domain.errors import WorkflowNotFound


async def query(call: Call) -> Response:
    """GET /workflows."""
    paging = paging_of(call.query)
    return await write_page(call, partial(call.services.workflows.query, paging), paging, lambda one: one.encoded)


async def create(call: Call) -> Response:
    """POST /workflows."""
    created = await call.services.workflows.create(call.body)
    return await document_reply(call, created.encoded, 201)


async def get(call: Call) -> Response:
    """GET /workflows/{name}."""
    workflow = await call.services.workflows.get(call.key)
    return await document_reply(call, workflow.encoded)


async def delete(call: Call) -> Response:
    """DELETE /workflows/{name}."""
    try:
        await call.services.workflows.delete(call.key)
    except WorkflowNotFound as exc:
        return unknown_workflow(exc, status=404, message="Workflow '{}' not found")
    return Reply(204)
