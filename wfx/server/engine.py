"""What every HTTP engine can do, and which ones there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import ASGIApp

from wfx.server.listeners import Listener


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How engines treat connections; times in seconds, sizes in bytes."""

    idle_timeout: float
    """An idle keep-alive connection is closed after this."""
    graceful_timeout: float
    """How long running requests may take to finish once the service stops."""
    read_timeout: float = 30.0
    """How long a request may take to arrive, header and body together."""
    write_timeout: float = 600.0
    """How long a peer may take to take an answer; event streams have a limit of their own."""
    max_head: int = 1_000_000
    """Size of a request's line and header."""
    keep_alive: bool = True
    """Whether HTTP/1.1 connections stay open for further requests."""
    max_connections: int = 10_000
    """Connections per listener."""
    max_requests: int = 10_000
    """Requests a listener works on at the same time."""
    max_body: int = 10 * 1024 * 1024
    """Size of a request's body."""


class Engine(Protocol):
    """Serves one app on one listener until ``stop`` is set, then lets running requests finish."""

    def __call__(
        self, app: ASGIApp, listener: Listener, settings: HttpSettings, stop: asyncio.Event
    ) -> Coroutine[Any, Any, None]:
        """Serve; owns and closes the listener's socket."""


def _uvicorn() -> Engine:
    from wfx.server.uvicorn_engine import serve  # imported when chosen: start-up pays for one engine only

    return serve


def _hypercorn() -> Engine:
    from wfx.server.hypercorn_engine import serve  # imported when chosen: start-up pays for one engine only

    return serve


_ENGINES: dict[str, Callable[[], Engine]] = {"uvicorn": _uvicorn, "hypercorn": _hypercorn, "auto": _uvicorn}

def choose(name: str) -> Engine:
    """Return the engine of this name (one of :data:`wfx.config.options.ENGINES`); ``auto`` takes the fastest."""
    return _ENGINES[name]()
