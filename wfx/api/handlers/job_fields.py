"""Handlers that read and write a job's status, definition and tags."""

from __future__ import annotations

from starlette.responses import Response

from wfx.api.call import Call
from wfx.api.large_answers import document_reply, fetch_job


async def get_status(call: Call) -> Response:
    """GET /jobs/{id}/status."""
    job = await fetch_job(call)
    return await document_reply(call, job.status)


async def put_status(call: Call) -> Response:
    """PUT /jobs/{id}/status: operators act as WFX, devices as CLIENT."""
    job = await call.services.jobs.update_status(call.key, call.body, call.side.actor)
    return await document_reply(call, job.status)


async def get_definition(call: Call) -> Response:
    """GET /jobs/{id}/definition: ``null`` if none was ever set."""
    job = await fetch_job(call)
    return await document_reply(call, job.definition or b"null")


async def put_definition(call: Call) -> Response:
    """PUT /jobs/{id}/definition."""
    job = await call.services.jobs.update_definition(call.key, call.body)
    return await document_reply(call, job.definition or b"null")


async def get_tags(call: Call) -> Response:
    """GET /jobs/{id}/tags."""
    job = await fetch_job(call)
    return await document_reply(call, job.tags)


async def add_tags(call: Call) -> Response:
    """POST /jobs/{id}/tags."""
    job = await call.services.jobs.add_tags(call.key, call.body)
    return await document_reply(call, job.tags)


async def delete_tags(call: Call) -> Response:
    """DELETE /jobs/{id}/tags."""
    job = await call.services.jobs.delete_tags(call.key, call.body)
    return await document_reply(call, job.tags)
