"""Handlers of the fleet API that are about jobs."""

from __future__ import annotations

from starlette.responses import Response

from wfx.api.large_answers import document_reply
from wfx.api.parameters import job_query_of
from wfx.api.request import ApiRequest
from wfx.domain.json import encode
from wfx.domain.query import JobSummary, Paging
from wfx.events.position import event_id


async def summarize(request: ApiRequest) -> Response:
    """GET /jobs/summary."""
    found = await request.services.jobs.summarize(job_query_of(request.query, Paging()))
    return await document_reply(request, encode(_shown(found)))


def _shown(summary: JobSummary) -> dict[str, object]:
    """Show the counts in the order of their names, bytewise."""
    ordered = sorted(summary.counts.items(), key=lambda item: [name.encode() for name in item[0]])
    return {
        "counts": [
            {"workflow": workflow, "group": group, "state": state, "jobs": jobs}
            for (workflow, group, state), jobs in ordered
        ],
        "position": event_id(summary.log_id, summary.position),
        "total": sum(summary.counts.values()),
    }
