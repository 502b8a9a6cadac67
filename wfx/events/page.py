"""Pages of past events, for clients that ask at intervals instead of holding a stream."""

from __future__ import annotations

from dataclasses import dataclass

from wfx.domain.errors import BehindHorizon
from wfx.events.framing import EncodedEvent
from wfx.events.log_pages import LogPages
from wfx.events.position import Start
from wfx.events.query import EventQuery
from wfx.store.protocol import LogBounds, Store

_MOST_BYTES = 4 * 1024 * 1024
_MOST_READ = 10_000
"""Events looked at for one page: a filter that lets little pass costs no more than this."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some consecutive events that pass a filter, and where to go on."""

    log_id: str
    entries: tuple[EncodedEvent, ...]
    next: int
    """The position to continue after: everything up to it was looked at."""


async def read_page(store: Store, archive: LogPages, query: EventQuery, start: Start) -> EventPage:
    """Read from the start on until the page is full, enough was looked at, or the head is reached.

    Raises BehindHorizon, NotOnThisLog, StoreUnavailable.
    """
    bounds = await store.log_bounds()
    after = start.resolve(bounds)
    while True:
        try:
            return await _collect(archive, query, bounds, after)
        except BehindHorizon as exc:
            if not start.at_oldest:
                raise  # Otherwise the horizon moved since we looked where it is.
            after = exc.oldest - 1


async def _collect(archive: LogPages, query: EventQuery, bounds: LogBounds, after: int) -> EventPage:
    found: list[EncodedEvent] = []
    size = 0
    cursor = after
    while cursor < bounds.head and cursor - after < _MOST_READ and len(found) < query.limit and size < _MOST_BYTES:
        try:
            entries = await archive.page(cursor)
        except BehindHorizon:
            if cursor == after:
                raise
            break
        for entry in entries:
            cursor = entry.seq
            if query.filter.passes(entry.event):
                found.append(entry)
                size += len(entry.head)
                if len(found) == query.limit or size >= _MOST_BYTES:
                    break
    return EventPage(bounds.log_id, tuple(found), cursor)
