"""What a device is told of a job that was deleted."""

from __future__ import annotations

from wfx.api.request import ApiRequest
from wfx.domain.errors import JobNotFound
from wfx.domain.job import Job
from wfx.request_context import Side


async def fetch_tombstone(request: ApiRequest) -> Job:
    """Return what is told of the job that a request was about. Raises JobNotFound, northbound always."""
    if request.context.side is not Side.SOUTH:
        raise JobNotFound
    grace = request.services.tunables.current.tombstone_grace
    return await request.services.jobs.tombstone(request.path["id"], grace)
