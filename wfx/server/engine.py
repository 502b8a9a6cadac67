"""Interface of the HTTP engines, and their names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from socket import socket
from typing import TYPE_CHECKING, Any, Protocol

from starlette.types import ASGIApp

from wfx.server.limits import ListenerLimits

if TYPE_CHECKING:
    from wfx.server.tls import Tls


class Engine(Protocol):
    """Serves one app on one listener until ``stop`` is set, then lets running requests finish."""

    def __call__(
        self, app: ASGIApp, listening: socket, limits: ListenerLimits, stop: asyncio.Event, tls: Tls | None = None
    ) -> Coroutine[Any, Any, None]:
        """Serve, with TLS if it is given; owns and closes the socket. When cancelled, breaks everything off."""


def _uvicorn() -> Engine:
    from wfx.server.uvicorn_engine import serve  # imported when chosen: start-up pays for one engine only

    return serve


def _hypercorn() -> Engine:
    from wfx.server.hypercorn_engine import serve  # imported when chosen: start-up pays for one engine only

    return serve


def _both() -> Engine:
    from wfx.server.alpn_engine import serve  # imported when chosen: start-up without TLS pays for one engine only

    return serve


_ENGINES: dict[str, Callable[[], Engine]] = {"uvicorn": _uvicorn, "hypercorn": _hypercorn, "auto": _uvicorn}
_HTTP1 = ("http/1.1",)
_HTTP2 = ("h2", "http/1.1")


def choose(name: str, *, tls: bool) -> Engine:
    """Return the engine of this name (one of :data:`wfx.config.options.ENGINES`).

    ``auto`` takes uvicorn, which is the faster one, and over TLS hypercorn for connections by HTTP/2.
    """
    return _both() if name == "auto" and tls else _ENGINES[name]()


def protocols_of(name: str) -> tuple[str, ...]:
    """Return what an engine speaks over TLS, preferred ones first, by the names of ALPN (RFC 7301)."""
    return _HTTP1 if name == "uvicorn" else _HTTP2
