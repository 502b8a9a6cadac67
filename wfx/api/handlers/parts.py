"""Operations on the parts of a job: status, definition, tags."""

from __future__ import annotations

from wfx.api.call import Call
from wfx.api.reply import Reply, json_reply
from wfx.domain.definition import Definition
from wfx.domain.job import Status


async def get_status(call: Call) -> Reply:
    """GET /jobs/{id}/status."""
    job = await call.services.jobs.get(call.key)
    return json_reply(job.status)


async def put_status(call: Call) -> Reply:
    """PUT /jobs/{id}/status: operators act as WFX, devices as CLIENT."""
    wanted = await call.work(Status.from_wire, call.body)
    job = await call.services.jobs.update_status(call.key, wanted, call.side.actor)
    return json_reply(job.status)


async def get_definition(call: Call) -> Reply:
    """GET /jobs/{id}/definition: ``null`` if none was ever set."""
    job = await call.services.jobs.get(call.key)
    return json_reply(job.definition or b"null")


async def put_definition(call: Call) -> Reply:
    """PUT /jobs/{id}/definition."""
    wanted = await call.work(Definition.of, call.body)
    job = await call.services.jobs.update_definition(call.key, wanted)
    return json_reply(job.definition or b"null")


async def get_tags(call: Call) -> Reply:
    """GET /jobs/{id}/tags."""
    job = await call.services.jobs.get(call.key)
    return json_reply(job.tags)


async def add_tags(call: Call) -> Reply:
    """POST /jobs/{id}/tags."""
    job = await call.services.jobs.add_tags(call.key, call.body)
    return json_reply(job.tags)


async def delete_tags(call: Call) -> Reply:
    """DELETE /jobs/{id}/tags."""
    job = await call.services.jobs.delete_tags(call.key, call.body)
    return json_reply(job.tags)
