"""Event streams, followed through as many connections as it takes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wfx.client.commands import Close, Give, ItemFlow, Open, Read, Response, Sleep
from wfx.client.errors import ClientError, Refused, Unavailable, Unreachable, Unreadable, refusal
from wfx.client.models import Event
from wfx.client.pauses import Backoff, Retries
from wfx.client.plans import Query, events_request
from wfx.client.sse import Parser

_TYPE = "text/event-stream"
HEARTBEAT = 75.0
"""Seconds without a sign of life after which a stream is taken for dead: more than twice the 30 that servers take."""


def follow(
    retries: Retries,
    /,
    since: str = "now",
    *,
    job_ids: Sequence[str] = (),
    client_ids: Sequence[str] = (),
    workflows: Sequence[str] = (),
    actions: Sequence[str] = (),
    heartbeat: float = HEARTBEAT,
) -> ItemFlow[Event]:
    """Give the events of any of these jobs, devices or workflows (all, without any), and of these actions, for ever.

    ``since`` is ``now``, ``0`` for all that the log has, or the position of an event. A stream that breaks off, or
    gives no sign of life for ``heartbeat`` seconds, is opened again behind the event seen last, so that nothing is lost
    and nothing comes twice. Raises EventsGone and EventsOtherLog where that is not possible, Refused for what waiting
    will not change, and Unreachable or Unavailable after so many attempts in a row as the client's retries have.
    """
    lists = {"jobIds": job_ids, "clientIds": client_ids, "workflows": workflows, "actions": actions}
    query = [("since", since), *((name, ",".join(items)) for name, items in lists.items() if items)]
    yield from _followed(retries, query, heartbeat)


def _followed(retries: Retries, query: Query, heartbeat: float) -> ItemFlow[Event]:
    position, backoff, attempt = "", retries.backoff(), 1
    while True:
        parser = Parser(position or None)
        try:
            opened: Response = yield Open(events_request(query, position), heartbeat)
            if opened.status != 200:
                raise refusal(opened.status, opened.headers, opened.text)
            if not opened.headers.get("content-type", "").lower().startswith(_TYPE):
                raise Unreadable(f"the answer is not {_TYPE}: is this a server of wfx?")
            while piece := (yield Read()):
                attempt = 1
                backoff.succeeded()
                for event_id, data in parser.feed(piece):
                    yield Give(_event(data, event_id or ""))
                position = parser.last_id or ""
                backoff.initial = retries.initial if parser.retry is None else parser.retry
            error: Unreachable | Refused = Unreachable("the server ended the event stream")
        except (Unreachable, Refused) as exc:
            error = exc
        yield Close()
        pause = _pause(error, attempt, backoff, retries)
        attempt += 1
        yield Sleep(pause)


def _pause(error: ClientError, attempt: int, backoff: Backoff, retries: Retries) -> float:
    """Return how long to wait; raise the error if that is of no use."""
    if isinstance(error, Refused) and not isinstance(error, Unavailable):
        raise error
    asked = error.retry_after or 0.0 if isinstance(error, Unavailable) else 0.0
    if attempt == retries.attempts or asked > retries.longest:
        raise error
    return max(backoff.wait(), asked)


def _event(data: str, position: str) -> Event:
    try:
        return Event.of(json.loads(data), position)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"an event is not JSON: {exc}") from exc
