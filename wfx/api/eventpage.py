"""A page of events as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from wfx.domain import wire
from wfx.domain.json import encode
from wfx.events.page import EventPage
from wfx.events.position import event_id


def page_response(page: EventPage, labels: Sequence[str] | None) -> Response:
    """Show the events with their ids, and the position to continue after, which also moves when no event passed."""
    end = wire.event_tail(labels)
    content = b",".join(
        b'{"id":%b,"event":%b%b}' % (encode(event_id(page.log_id, entry.seq)), entry.head, end)
        for entry in page.entries
    )
    body = b'{"content":[%b],"next":%b}\n' % (content, encode(event_id(page.log_id, page.next)))
    return Response(body, media_type="application/json")
