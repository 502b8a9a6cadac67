"""One run's surroundings: the two sides of the service, the clock, the counters, and the wish to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from wfx_loadtest.clock import Clock, SystemClock
from wfx_loadtest.metrics import Metrics, Outcome
from wfx_loadtest.settings import Settings
from wfx_loadtest.wire import Address, Answer, Pool, Request, WireError

BASE = "/api/wfx/v1"
REQUEST_TIMEOUT = 10.0
"""Seconds a request may take (cli section 11)."""
VERSION_TIMEOUT = 2.0
"""Seconds that the service may take to say its version, which only reports need."""
MOST_CONNECTIONS = 2000
"""Connections to one side; beyond them requests wait in line, and the wait counts."""
PLAIN_HEADERS = "User-Agent: wfx-loadtest\r\nAccept: application/json\r\n"


class Side:
    """One side of the service, north or south, over connections of its own."""

    def __init__(self, address: Address, authority: str, limit: int = MOST_CONNECTIONS) -> None:
        """Talk to the numeric address, calling it ``authority`` in the Host header."""
        self.address = address
        self.authority = authority
        self._pool = Pool(address, limit)

    def request(
        self, method: str, path: str, document: Any = None, headers: str = PLAIN_HEADERS, base: str = BASE
    ) -> Request:
        """Build a request to a path below the base path; ``headers`` are whole lines, each with its line end."""
        body = b"" if document is None else orjson.dumps(document)
        lines = f"{method} {base}{path} HTTP/1.1\r\nHost: {self.authority}\r\n{headers}"
        if body and "Content-Type:" not in headers:
            lines += "Content-Type: application/json\r\n"
        if body:
            lines += f"Content-Length: {len(body)}\r\n"
        return Request(f"{lines}\r\n".encode(), body, expects_continue="Expect:" in headers)

    async def exchange(self, request: Request, timeout: float = REQUEST_TIMEOUT) -> Answer:  # noqa: ASYNC109
        """Send it and return the answer. Raises WireError, after so many seconds at the latest."""
        return await self._pool.exchange(request, timeout)

    def alone(self) -> Side:
        """Return this side again, over a single connection that nobody else uses."""
        return Side(self.address, self.authority, limit=1)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


@dataclass(slots=True)
class Session:
    """What a scenario works with."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    north: Side
    south: Side
    stop: asyncio.Event
    """Set when the user wants an end: no further request starts."""
    when: datetime

    async def measured(self, series: str, due: int, side: Side, request: Request) -> Answer | None:
        """Send a request that was due at ``due`` and count how it went; None if no answer came."""
        self.metrics.lateness.add(self.clock.now() - due)
        try:
            answer = await side.exchange(request)
        except WireError as exc:
            latency = self.clock.now() - due
            self.metrics.add(Outcome(series, due, latency, 0, bytes_out=len(request.body), error=str(exc)))
            return None
        latency = self.clock.now() - due
        error = "" if answer.ok else answer.line
        self.metrics.add(Outcome(series, due, latency, answer.status, len(answer.body), len(request.body), error))
        return answer

    async def service_version(self) -> str:
        """Ask the service which version it has; empty if it does not say so soon."""
        try:
            answer = await self.south.exchange(self.south.request("GET", "/version"), VERSION_TIMEOUT)
        except WireError:
            return ""
        version = answer.document.get("version") if answer.ok else None
        return version if isinstance(version, str) else ""

    def begin(self) -> int:
        """Start counting afresh, once everything is prepared; return the moment."""
        start = self.clock.now()
        self.metrics = Metrics(start, self.settings.duration)
        return start


def _addresses(settings: Settings) -> tuple[Address, Address]:
    """Return where the north and the south side are."""
    tls = settings.tls.context() if settings.enable_tls else None
    south, north = settings.places
    return Address(*north, tls), Address(*south, tls)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Session]:
    """Reach both sides of the service and start counting. Raises NotReachable or ConfigurationFailure."""
    sides = [Side(await address.resolve(), address.authority) for address in _addresses(settings)]
    clock = SystemClock()
    try:
        yield Session(
            settings,
            clock,
            Metrics(clock.now(), settings.duration),
            sides[0],
            sides[1],
            asyncio.Event(),
            datetime.fromtimestamp(int(time.time()), UTC),
        )
    finally:
        clock.close()
        for side in sides:
            side.close()
        await asyncio.sleep(0)  # closing takes effect in the loop's next turn, which may be its last
