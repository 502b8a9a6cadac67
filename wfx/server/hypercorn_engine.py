"""hypercorn: HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from starlette.types import ASGIApp

from wfx.server.engine import HttpSettings
from wfx.server.listeners import BACKLOG, Listener

_UNBOUNDED = 2**63
"""Requests per connection: ending a connection after some number would cut the event streams on it."""


async def serve(app: ASGIApp, listener: Listener, settings: HttpSettings, stop: asyncio.Event) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    config = Config()
    config.bind = [f"fd://{listener.socket.detach()}"]
    config.backlog = BACKLOG
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.keep_alive_timeout = settings.idle_timeout
    config.keep_alive_max_requests = _UNBOUNDED
    config.graceful_timeout = settings.graceful_timeout
    await hypercorn_serve(cast(Any, _without_lifespan(app)), config, shutdown_trigger=stop.wait)


def _without_lifespan(app: ASGIApp) -> ASGIApp:
    """Refuse the lifespan protocol: what apps need is opened and closed around both sides, not by one of them."""

    async def http_only(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            message = await receive()
            while message["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
                message = await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await app(scope, receive, send)

    return http_only
