"""What a device is told of a job that was deleted.

Who is the device says the header ``X-Client-Id``, which a shipped client sends. For all others, people and their
programs among them, the job is not found.
"""

from __future__ import annotations

from wfx.api.client_header import device_of
from wfx.api.request import ApiRequest
from wfx.domain.errors import JobNotFound
from wfx.domain.job import Job


async def fetch_tombstone(request: ApiRequest) -> Job:
    """Return what is told of the job that a request was about. Raises JobNotFound unless the job's own device asks."""
    device = device_of(request)
    if not device:
        raise JobNotFound
    grace = request.services.tunables.current.tombstone_grace
    job = await request.services.jobs.tombstone(request.path["id"], grace)
    if job.client_id != device:
        raise JobNotFound
    return job
