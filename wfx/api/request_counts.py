"""Counters of the requests of one side: how many were answered with which status, and how long that took.

Routes are those of the service, never paths as they were sent, and methods are known ones: who asks for ever new paths
adds nothing to the counters. A request counts when its answer begins, so that whoever has the answer finds it counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextvars import Context

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wfx.histogram import SECONDS, Histogram
from wfx.note_answer import NoteAnswer, status_without_answer
from wfx.request_context import Side

UNMATCHED, HOST_CHECK, PREFLIGHT, RATE_LIMIT, PLUGIN = "unmatched", "host-check", "preflight", "rate-limit", "plugin"
"""Routes of what no route answered: an unknown path or method, a browser under a foreign host name, a preflight, a
request beyond the rate limit, and what a plugin answered."""
_FOLD_INTERVAL = 0.5
"""Seconds whose answers are counted together: one by one that would cost twice as much."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_OTHER = "other"
"""Stands for all other methods."""


class RouteCounts:
    """Counters of one route and method."""

    __slots__ = ("_answers", "_seconds", "_timer", "recent")

    def __init__(self) -> None:
        """Start with no answer counted."""
        self.recent: defaultdict[int, list[float]] = defaultdict(self._begin)
        """The seconds of answers that are yet to be counted, by status; for the endpoint, which adds to them itself."""
        self._timer: asyncio.TimerHandle | None = None
        self._answers = Counter[int]()
        self._seconds = Histogram(SECONDS)

    @property
    def answers(self) -> Mapping[int, int]:
        """How many, by status."""
        self.fold()
        return self._answers

    @property
    def seconds(self) -> Histogram:
        """Seconds until answers began; of those that endpoints gave."""
        self.fold()
        return self._seconds

    def fold(self) -> None:
        """Count the recent answers."""
        for status, seconds in self.recent.items():
            self._answers[status] += len(seconds)
            self._seconds.observe_all(seconds)
        self.recent.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def note(self, status: int) -> None:
        """Count an answer whose time is not of interest."""
        self._answers[status] += 1

    def note_failure(self, error: BaseException, seconds: float) -> None:
        """Count a request that ends without an answer of its own: the engine gives one, or the client has left."""
        self.recent[status_without_answer(error)].append(seconds)

    def _begin(self) -> list[float]:
        """Make a place for answers of one status, and see that they are counted soon."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FOLD_INTERVAL, self.fold, context=Context())
        return []


class RequestCounts:
    """Counters of all routes of one side."""

    def __init__(self, side: Side) -> None:
        """Start with no route; each is added when it is first asked for."""
        self.side = side
        self._counts: dict[tuple[str, str], RouteCounts] = {}

    def __iter__(self) -> Iterator[tuple[tuple[str, str], RouteCounts]]:
        """Go through the counters by route and method."""
        return iter(self._counts.items())

    def of(self, route: str, method: str) -> RouteCounts:
        """Return the counters of a route, by its operationId, or its path where it is no operation, and a method."""
        counts = self._counts.get((route, method))
        if counts is None:
            counts = self._counts[route, method] = RouteCounts()
        return counts

    def recorder_for(self, route: str) -> NoteAnswer:
        """Return what counts the answers of something that stands beside or around the endpoints."""

        def note(scope: Scope, status: int) -> None:
            method = scope["method"]
            self.of(route, method if method in _METHODS else _OTHER).note(status)

        return note


async def run_counted(note: NoteAnswer, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an app, and count its answer when that begins; also if it fails before, or the client leaves."""
    begun = False

    async def counted(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start":
            begun = True
            note(scope, message["status"])
        await send(message)

    try:
        await app(scope, receive, counted)
    except BaseException as exc:
        if not begun:
            note(scope, status_without_answer(exc))
        raise
