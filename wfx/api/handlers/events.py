"""Handler of job events: a stream, or a page of past events (rest-api section 10)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response

from wfx.api.large_answers import parts_reply
from wfx.api.request import ApiRequest
from wfx.api.sse import EventStream
from wfx.domain import job_json
from wfx.domain.json import encode
from wfx.events.page import EventPage
from wfx.events.position import event_id
from wfx.events.query import parse_query


async def get(request: ApiRequest) -> Response:
    """GET /jobs/events: a stream, or a page where a position is given and JSON is wanted.

    Raises EventQueryInvalid, BehindHorizon, NotOnThisLog or StoreUnavailable before anything is sent.
    """
    services = request.services
    headers = request.http.headers
    if request.query.get("since") is not None and _wants_json(headers):
        query = parse_query(request.query)
        return await _page_reply(request, await services.broker.page(query), query.labels)
    query = parse_query(request.query, headers.get("last-event-id"))
    return EventStream(await services.broker.subscribe(query, services.tunables.current.sse_ping_interval), services)


def _wants_json(headers: Headers) -> bool:
    """Tell whether JSON is accepted and an event stream is not asked for."""
    accepted = ",".join(headers.getlist("accept")).lower()
    return "application/json" in accepted and "text/event-stream" not in accepted


async def _page_reply(request: ApiRequest, page: EventPage, labels: Sequence[str] | None) -> Response:
    """Show the events with their ids, and the position to continue after, which also moves when no event passed."""
    end = job_json.event_tail(labels)
    parts: list[bytes] = [b'{"content":[']
    for number, entry in enumerate(page.entries):
        place = encode(event_id(page.log_id, entry.seq))
        # The event itself is shared by all who read it, so it stays a part of its own.
        parts += (b'%b{"id":%b,"event":' % (b"," if number else b"", place), entry.head, end + b"}")
    parts.append(b'],"next":%b}' % encode(event_id(page.log_id, page.next)))
    return await parts_reply(request, parts)
