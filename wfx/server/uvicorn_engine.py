"""HTTP engine uvicorn with httptools: HTTP/1.1, the faster one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from wfx.server.limits import BACKLOG, ListenerLimits, enforce_deadlines
from wfx.server.uvicorn_protocol import EdgeProtocol


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: one stop signal serves both sides."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, listening: socket, limits: ListenerLimits, stop: asyncio.Event) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    config = uvicorn.Config(
        app,
        http=partial(EdgeProtocol, limits),  # type: ignore[arg-type]  # whatever makes protocols
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
    )
    server = _Server(config)
    watcher = asyncio.create_task(_stop_when_told(server, limits, stop))
    deadlines = asyncio.create_task(enforce_deadlines(limits, server.server_state.connections))  # type: ignore[arg-type]  # ours
    try:
        await server.serve(sockets=[listening])
    finally:
        watcher.cancel()
        deadlines.cancel()


async def _stop_when_told(server: uvicorn.Server, limits: ListenerLimits, stop: asyncio.Event) -> None:
    await stop.wait()
    graceful: Any = limits.settings.current.graceful_timeout  # an int by its type, used as a float throughout
    server.config.timeout_graceful_shutdown = graceful
    server.should_exit = True
