"""HTTP engine uvicorn with httptools: HTTP/1.1, the faster one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from wfx.server.limits import HttpSettings, ListenerLimits, enforce_deadlines
from wfx.server.listeners import BACKLOG, Listener
from wfx.server.uvicorn_protocol import EdgeProtocol


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: one stop signal serves both sides."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, listener: Listener, settings: HttpSettings, stop: asyncio.Event) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    edge = ListenerLimits(settings)
    config = uvicorn.Config(
        app,
        http=partial(EdgeProtocol, edge),  # type: ignore[arg-type]  # whatever makes protocols
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.graceful_timeout,  # type: ignore[arg-type]  # used as a float throughout
    )
    server = _Server(config)
    watcher = asyncio.create_task(_stop_when_told(server, stop))
    deadlines = asyncio.create_task(enforce_deadlines(edge, server.server_state.connections))  # type: ignore[arg-type]  # ours
    try:
        await server.serve(sockets=[listener.socket])
    finally:
        watcher.cancel()
        deadlines.cancel()


async def _stop_when_told(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
