"""Handlers of the fleet API that are about jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from wfx.api.cursor import cursor_of, read_cursor, require_log
from wfx.api.large_answers import document_reply
from wfx.api.parameters import job_query_of, period_of
from wfx.api.request import ApiRequest
from wfx.domain.job_list import JobListQuery, JobRow
from wfx.domain.json import decode, embedded, encode
from wfx.domain.query import JobSummary, Paging
from wfx.domain.timestamp import rfc3339
from wfx.events.position import event_id

NO_GROUP = "(none)"
"""How the parameter group names that a state is in none."""
_NO_CONDITIONS: dict[str, Any] = {
    **dict.fromkeys(("clientId", "state", "workflow", "clientIdPrefix"), ""),
    **dict.fromkeys(("group", "tag", "allTags"), ()),
    **dict.fromkeys(("createdAfter", "createdBefore", "modifiedAfter", "modifiedBefore", "unchangedFor")),
}


async def query(request: ApiRequest) -> Response:
    """GET /jobs."""
    given = request.query
    log_id, after = read_cursor(given["after"]) if given["after"] else ("", None)
    wanted = replace(list_query_of(given), descending=given["sort"] == "desc", after=after, limit=given["limit"])
    page = await request.services.jobs.list(wanted)
    require_log(log_id, page.log_id)
    shown: dict[str, object] = {"content": [_row(row) for row in page.rows]}
    if page.next is not None:
        shown["next"] = cursor_of(page.log_id, page.next)
    return await document_reply(request, encode(shown | {"position": event_id(page.log_id, page.position)}))


def list_query_of(given: dict[str, Any]) -> JobListQuery:
    """Return which jobs were asked for; what is missing or None sets no condition."""
    given = _NO_CONDITIONS | {name: value for name, value in given.items() if value is not None}
    jobs = job_query_of(given, Paging())
    return JobListQuery(
        replace(jobs, groups=tuple("" if group == NO_GROUP else group for group in jobs.groups)),
        all_tags=tuple(given["allTags"]),
        client_prefix=given["clientIdPrefix"],
        created=period_of(given["createdAfter"], given["createdBefore"]),
        modified=period_of(given["modifiedAfter"], given["modifiedBefore"], given["unchangedFor"]),
    )


def _row(row: JobRow) -> dict[str, object]:
    status = decode(row.status)
    reported = {name: status[name] for name in ("message", "progress") if name in status}
    return {
        "id": row.id,
        "clientId": row.client_id,
        "workflow": row.workflow,
        "group": row.group,
        "state": row.state,
        **reported,
        "tags": embedded(row.tags),
        "stime": rfc3339(row.stime),
        "mtime": rfc3339(row.mtime),
    }


async def summarize(request: ApiRequest) -> Response:
    """GET /jobs/summary."""
    found = await request.services.jobs.summarize(list_query_of(request.query))
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
