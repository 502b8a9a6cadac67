"""Interface of the HTTP engines, and their names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from socket import socket
from typing import Any, Protocol

from starlette.types import ASGIApp

from wfx.server.limits import ListenerLimits


class Engine(Protocol):
    """Serves one app on one listener until ``stop`` is set, then lets running requests finish."""

    def __call__(
        self, app: ASGIApp, listening: socket, limits: ListenerLimits, stop: asyncio.Event
    ) -> Coroutine[Any, Any, None]:
        """Serve; owns and closes the socket."""


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
