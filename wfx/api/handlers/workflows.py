"""Handlers that query, create, read and delete workflows."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from wfx.api.errors import unknown_workflow
from wfx.api.large_answers import document_reply, write_page
from wfx.api.parameters import paging_of
from wfx.api.reply import Reply
from wfx.api.request import ApiRequest
from wfx.domain.errors import WorkflowNotFound


async def query(request: ApiRequest) -> Response:
    """GET /workflows."""
    paging = paging_of(request.query)
    return await write_page(request, partial(request.services.workflows.query, paging), paging, lambda one: one.encoded)


async def create(request: ApiRequest) -> Response:
    """POST /workflows."""
    created = await request.services.workflows.create(request.body)
    return await document_reply(request, created.encoded, 201)


async def get(request: ApiRequest) -> Response:
    """GET /workflows/{name}."""
    workflow = await request.services.workflows.get(request.path["name"])
    return await document_reply(request, workflow.encoded)


async def delete(request: ApiRequest) -> Response:
    """DELETE /workflows/{name}."""
    try:
        await request.services.workflows.delete(request.path["name"])
    except WorkflowNotFound as exc:
        return unknown_workflow(exc, status=404, message="Workflow '{}' not found")
    return Reply(204)
