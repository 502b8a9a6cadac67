"""JSON document of a page of events."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from wfx.api.call import Call
from wfx.api.large_answers import parts_reply
from wfx.domain import job_json
from wfx.domain.json import encode
from wfx.events.page import EventPage
from wfx.events.position import event_id


async def page_response(call: Call, page: EventPage, labels: Sequence[str] | None) -> Response:
    """Show the events with their ids, and the position to continue after, which also moves when no event passed."""
    end = job_json.event_tail(labels)
    parts: list[bytes] = [b'{"content":[']
    for number, entry in enumerate(page.entries):
        place = encode(event_id(page.log_id, entry.seq))
        # The event itself is shared by all who read it, so it stays a part of its own.
        parts += (b'%b{"id":%b,"event":' % (b"," if number else b"", place), entry.head, end + b"}")
    parts.append(b'],"next":%b}' % encode(event_id(page.log_id, page.next)))
    return await parts_reply(call, parts)
