"""Handlers that query, create, read and delete jobs."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from wfx.api.answer_memory import PIECE
from wfx.api.errors import unknown_workflow
from wfx.api.inputs import JobRequest
from wfx.api.large_answers import document_reply, fetch_job, page_reply, read_page, write_page
from wfx.api.notes import shortened_history
from wfx.api.parameters import job_query_of, paging_of
from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.api.sightings import note_poll, note_read
from wfx.api.tombstones import fetch_tombstone
from wfx.domain import job_json
from wfx.domain.errors import JobNotFound, WorkflowNotFound
from wfx.service.jobs import HISTORY_LIMIT


async def query(request: ApiRequest) -> Response:
    """GET /jobs."""
    paging = paging_of(request.query)
    wanted = job_query_of(request.query, paging)
    answer = await write_page(request, partial(request.services.jobs.query, wanted), paging, job_json.job)
    note_poll(request, wanted.client_id)
    return answer


async def create(request: ApiRequest) -> Response:
    """POST /jobs: the reply shows the tags as they were sent (rest-api section 4.3)."""
    wanted: JobRequest = request.body
    try:
        job = await request.services.jobs.create(
            wanted.workflow, client_id=wanted.client_id, definition=wanted.definition, tags=wanted.tags
        )
    except WorkflowNotFound as exc:
        return unknown_workflow(exc, status=400, message="workflow {} does not exist")
    request.services.jobs.created.note(wanted.workflow)
    return await document_reply(request, job_json.job(job, asked_tags=wanted.tags), 201)


async def get(request: ApiRequest) -> Response:
    """GET /jobs/{id}."""
    try:
        return await _get(request)
    except JobNotFound:
        tombstone = await fetch_tombstone(request)
        note_read(request, tombstone.client_id)
        return await document_reply(request, job_json.job(tombstone))


async def _get(request: ApiRequest) -> Response:
    if not request.query["history"]:
        job = await fetch_job(request, limit=request.most)
        note_read(request, job.client_id)
        return await document_reply(request, job_json.job(job))
    job = await fetch_job(request, beside=PIECE, limit=request.most)
    note_read(request, job.client_id)
    page = await read_page(request, partial(request.services.jobs.history, job))
    if not page.items and page.rest is None:
        return await document_reply(request, job_json.job(job))
    reply = page_reply(request, page, job_json.history_entry, job_json.around_history(job))
    shown = min(job.version - 1, HISTORY_LIMIT) if page.rest is not None else len(page.items)
    if shown < job.version - 1:
        reply.raw_headers.append(shortened_history(job.version - 1, shown))
    return reply


async def delete(request: ApiRequest) -> Response:
    """DELETE /jobs/{id}: unknown ids are answered with an empty object (rest-api section 3)."""
    try:
        await request.services.jobs.delete(request.path["id"])
    except JobNotFound:
        return json_reply(b"{}", 404)
    return Reply(204)
