"""Handlers of the fleet API that are about one job, and may depend on its version."""

from __future__ import annotations

from starlette.responses import Response

from wfx.api.entity_tags import excludes, not_modified, tag_of, wanted_versions
from wfx.api.large_answers import document_reply, fetch_job
from wfx.api.reply import Reply
from wfx.api.request import ApiRequest
from wfx.domain.job import Job
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import rfc3339
from wfx.domain.workflow import Actor


async def get(request: ApiRequest) -> Response:
    """GET /jobs/{id}."""
    job = await fetch_job(request)
    if excludes(request.scope["headers"], tag := tag_of(job.version)):
        return not_modified(tag)
    return await _reply(request, job)


async def put_status(request: ApiRequest) -> Response:
    """PUT /jobs/{id}/status."""
    versions = wanted_versions(request.scope["headers"])
    job_id = request.path["id"]
    return await _reply(
        request, await request.services.jobs.update_status(job_id, request.body, Actor.WFX, versions=versions)
    )


async def delete(request: ApiRequest) -> Response:
    """DELETE /jobs/{id}."""
    versions = wanted_versions(request.scope["headers"])
    await request.services.jobs.delete(request.path["id"], versions=versions)
    return Reply(204)


async def _reply(request: ApiRequest, job: Job) -> Response:
    response = await document_reply(request, _shown(job))
    response.raw_headers.append((b"etag", tag_of(job.version)))
    return response


def _shown(job: Job) -> Json:
    """Show a job without the document of its workflow."""
    small = encode(
        {
            "id": job.id,
            "clientId": job.client_id,
            "workflow": job.workflow.name,
            "group": job.group,
            "state": job.state,
            "stime": rfc3339(job.stime),
            "mtime": rfc3339(job.mtime),
            "version": job.version,
        }
    )
    definition = b"" if job.definition is None else b'"definition":%b,' % job.definition
    return Json(b'%b,%b"status":%b,"tags":%b}' % (small[:-1], definition, job.status, job.tags))
