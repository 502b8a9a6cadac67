"""Handlers that take events from outside."""

from __future__ import annotations

from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.domain.cause import Cause
from wfx.domain.json import encode
from wfx.service.command import Command


async def create(request: ApiRequest) -> Reply:
    """POST /events. Raises CommandTimedOut, and what telling an event raises."""
    services, cause = request.services, _cause(request)

    async def tell(command: Command) -> str:
        return await services.incoming.tell(request.body, cause, command.begin)

    return json_reply((await services.guard.in_time(tell)).encode())


async def create_batch(request: ApiRequest) -> Reply:
    """POST /events/batch."""
    batch_id, queued = request.services.incoming.queue_batch(request.body, _cause(request))
    total = len(request.body)
    return json_reply(encode({"job_id": batch_id, "total": total, "queued": queued, "rejected": total - queued}), 202)


def _cause(request: ApiRequest) -> Cause:
    context = request.context
    return Cause(context.request_id, context.side, context.principal)
