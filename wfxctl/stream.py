"""Event streams, followed through restarts of the server (cli section 7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfx.client.pauses import Backoff
from wfx.commandline.failures import Failure
from wfxctl.failures import RefusedByServer, Unreachable

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api, Query

LARGEST_REFUSAL = 1024 * 1024
"""Bytes of an answer that is no stream."""

SILENCE = 75.0
"""Seconds without a sign of life after which a stream is taken up again: two and a half times what servers let pass."""
_PAUSE = 1.0
"""Seconds between attempts to read from a server that does not answer."""


class Parser:
    """Takes a stream apart, in whatever pieces it comes."""

    def __init__(self, last_id: str | None = None) -> None:
        """Begin at the start of a stream that goes on behind the event with this id."""
        from wfx.client import sse  # slow to import: only who follows a stream pays for it

        self._parser = sse.Parser(last_id)

    @property
    def last_id(self) -> str | None:
        """The newest id that the stream gave, also without an event."""
        return self._parser.last_id

    @property
    def retry(self) -> float | None:
        """How many seconds the stream wants to be waited before a reconnection."""
        return self._parser.retry

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of the events that this piece completes. Raises Failure for one that is too large."""
        from wfx.client.errors import Unreadable

        try:
            return [data for _, data in self._parser.feed(chunk)]
        except Unreadable as exc:
            raise Failure(str(exc)) from exc


@dataclass(frozen=True, slots=True)
class Opened:
    """The server answered; events follow if the status is 200."""

    status: int


@dataclass(frozen=True, slots=True)
class Following:
    """How to go on when a stream ends or cannot be opened."""

    reconnect: bool
    """Try again, for ever, instead of failing."""
    patient: bool = False
    """Try again too when a server says that it cannot serve now, and begin anew where it cannot resume."""
    report: Callable[[str, float], None] = lambda _cause, _seconds: None
    """Called before each wait, with the reason and the time in seconds."""


class Follower:
    """Follows a stream through as many connections as it takes; each begins where the one before ended."""

    def __init__(self, api: Api, query: Query, how: Following) -> None:
        """Prepare; the first connection is made when the first item is taken."""
        self._api = api
        self._query = query
        self._how = how
        self._backoff = Backoff()
        self._last_id: str | None = None

    def __iter__(self) -> Iterator[Opened | str]:
        """Yield ``Opened`` for each connection, and the data of each event.

        Raises Unreachable when a stream ends or cannot be opened, and RefusedByServer for a status other than 200,
        unless it is to try again.
        """
        while True:
            try:
                yield from self._connection()
            except (Unreachable, RefusedByServer) as exc:
                if not self._may_try_again(exc):
                    raise
                cause, pause = str(exc), exc.retry_after if isinstance(exc, RefusedByServer) else 0.0
            else:
                cause, pause = "the server ended the event stream", 0.0
                if not self._how.reconnect:
                    raise Unreachable(cause)
            seconds = max(self._backoff.wait(), pause)
            self._how.report(cause, seconds)
            time.sleep(seconds)

    def _connection(self) -> Iterator[Opened | str]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._last_id} if self._last_id else {})
        parser = Parser(self._last_id)
        silence = SILENCE if self._how.reconnect else None
        with self._api.stream("/jobs/events", self._query, headers, silence) as opened:
            yield Opened(opened.status)
            if opened.status != 200:
                from wfx.client import bodies

                refusal = bodies.whole(opened.chunks, LARGEST_REFUSAL)
                raise opened.exchange.refusal(opened.status, refusal.decode("utf-8", "replace"), opened.retry_after)
            self._backoff.succeeded()
            for chunk in opened.chunks:
                events = parser.feed(chunk)
                self._last_id = parser.last_id
                self._backoff.initial = self._backoff.initial if parser.retry is None else parser.retry
                yield from events

    def _may_try_again(self, failure: Unreachable | RefusedByServer) -> bool:
        if isinstance(failure, Unreachable):
            return self._how.reconnect
        cannot_resume = failure.status in {409, 410} and self._last_id is not None
        if cannot_resume:
            self._last_id = None
        return self._how.patient and (cannot_resume or failure.status == 429 or failure.status >= 500)


def fetch_patiently(api: Api, path: str, query: Query) -> str:
    """Fetch from a server that may just be restarting. Raises RefusedByServer for what waiting will not change."""
    while True:
        try:
            return api.fetch("GET", path, query)
        except RefusedByServer as exc:
            if exc.status < 500 and exc.status != 429:
                raise
            pause = max(_PAUSE, exc.retry_after)
        except Unreachable:
            pause = _PAUSE  # a stream that is open at the same time breaks off too, and says so
        time.sleep(pause)
