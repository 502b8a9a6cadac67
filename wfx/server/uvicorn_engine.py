"""uvicorn with httptools: HTTP/1.1, the faster engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from wfx.server.engine import HttpSettings
from wfx.server.listeners import BACKLOG, Listener


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: one stop signal serves both sides."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, listener: Listener, settings: HttpSettings, stop: asyncio.Event) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.idle_timeout,  # type: ignore[arg-type]  # used as a float throughout
        timeout_graceful_shutdown=settings.graceful_timeout,  # type: ignore[arg-type]  # used as a float throughout
    )
    server = _Server(config)
    watcher = asyncio.create_task(_stop_when_told(server, stop))
    try:
        await server.serve(sockets=[listener.socket])
    finally:
        watcher.cancel()


async def _stop_when_told(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
