"""Operations on whole jobs."""

from __future__ import annotations

from wfx.api.call import Call
from wfx.api.errors import unknown_workflow
from wfx.api.paging import paging_of, write_page
from wfx.api.reply import Reply, json_reply
from wfx.domain import wire
from wfx.domain.definition import Definition
from wfx.domain.errors import JobNotFound, WorkflowNotFound
from wfx.domain.query import JobQuery


async def query(call: Call) -> Reply:
    """GET /jobs."""
    given, paging = call.query, paging_of(call.query)
    page = await call.services.jobs.query(
        JobQuery(
            client_id=given["clientId"],
            state=given["state"],
            workflow=given["workflow"],
            groups=tuple(given["group"]),
            tags=tuple(given["tag"]),
            paging=paging,
        )
    )
    return write_page(page, paging, wire.job)


async def create(call: Call) -> Reply:
    """POST /jobs: the reply shows the tags as they were sent (rest-api section 4.3)."""
    tags = call.body.get("tags")
    given = call.body.get("definition")
    definition = None if given is None else await call.work(Definition.of, given)
    try:
        job = await call.services.jobs.create(
            call.body["workflow"], client_id=call.body["clientId"], definition=definition, tags=tags
        )
    except WorkflowNotFound as exc:
        return unknown_workflow(exc, status=400, message="workflow {} does not exist")
    return json_reply(wire.job(job, asked_tags=tags), 201)


async def get(call: Call) -> Reply:
    """GET /jobs/{id}."""
    job = await call.services.jobs.get(call.key)
    history = await call.services.jobs.history(call.key) if call.query["history"] else ()
    return json_reply(wire.job(job, history=history))


async def delete(call: Call) -> Reply:
    """DELETE /jobs/{id}: unknown ids are answered with an empty object (rest-api section 3)."""
    try:
        await call.services.jobs.delete(call.key)
    except JobNotFound:
        return json_reply(b"{}", 404)
    return Reply(204)
