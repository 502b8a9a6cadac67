"""Handlers that read and write a job's status, definition and tags."""

from __future__ import annotations

from starlette.responses import Response

from wfx.api.large_answers import document_reply, fetch_job
from wfx.api.request import ApiRequest
from wfx.api.tombstones import fetch_tombstone
from wfx.domain.errors import JobNotFound
from wfx.domain.workflow import Actor
from wfx.request_context import Side

_ACTORS = {Side.NORTH: Actor.WFX, Side.SOUTH: Actor.CLIENT}
"""As whom a status update of each side acts (rest-api section 9.2)."""


async def get_status(request: ApiRequest) -> Response:
    """GET /jobs/{id}/status."""
    try:
        job = await fetch_job(request)
    except JobNotFound:
        job = await fetch_tombstone(request)
    return await document_reply(request, job.status)


async def put_status(request: ApiRequest) -> Response:
    """PUT /jobs/{id}/status: operators act as WFX, devices as CLIENT."""
    job = await request.services.jobs.update_status(request.path["id"], request.body, _ACTORS[request.context.side])
    return await document_reply(request, job.status)


async def get_definition(request: ApiRequest) -> Response:
    """GET /jobs/{id}/definition: ``null`` if none was ever set."""
    job = await fetch_job(request)
    return await document_reply(request, job.definition or b"null")


async def put_definition(request: ApiRequest) -> Response:
    """PUT /jobs/{id}/definition."""
    job = await request.services.jobs.update_definition(request.path["id"], request.body)
    return await document_reply(request, job.definition or b"null")


async def get_tags(request: ApiRequest) -> Response:
    """GET /jobs/{id}/tags."""
    job = await fetch_job(request)
    return await document_reply(request, job.tags)


async def add_tags(request: ApiRequest) -> Response:
    """POST /jobs/{id}/tags."""
    job = await request.services.jobs.add_tags(request.path["id"], request.body)
    return await document_reply(request, job.tags)


async def delete_tags(request: ApiRequest) -> Response:
    """DELETE /jobs/{id}/tags."""
    job = await request.services.jobs.delete_tags(request.path["id"], request.body)
    return await document_reply(request, job.tags)
