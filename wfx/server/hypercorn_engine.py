"""HTTP engine hypercorn: HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import asyncio
import logging
from socket import socket
from typing import cast

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from starlette.types import ASGIApp

from wfx.server import edge_errors
from wfx.server.accepting import accept
from wfx.server.hypercorn_connection import Connection, Wire
from wfx.server.limits import MAX_STREAMS, ListenerLimits, enforce_deadlines
from wfx.server.tls import Tls
from wfx.server.transports import is_tls


class Connections:
    """All connections of a listener that hypercorn serves."""

    def __init__(self, app: ASGIApp, limits: ListenerLimits) -> None:
        self._app = app
        self._limits = limits
        self._config = Config()
        self._config.errorlog = logging.getLogger("hypercorn.error")
        self._config.include_server_header = False
        self._config.h2_max_concurrent_streams = MAX_STREAMS
        self._config.h2_max_header_list_size = limits.max_head
        self._context = WorkerContext(None)
        self.open: dict[Connection, asyncio.Task[None]] = {}

    def protocol(self) -> asyncio.Protocol:
        """Make the protocol of a new connection."""
        return Wire(self.opened)

    def opened(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection, unless there are too many."""
        if len(self.open) >= self._limits.max_connections:
            self._limits.refusals.note("connections", writer.get_extra_info("peername"))
            writer.write(edge_errors.FULL.raw())
            if is_tls(writer.transport):
                writer.transport.abort()  # it could take its time, and nothing would limit it
            else:
                writer.close()
            return
        connection = Connection(self._app, self._config, self._context, self._limits, reader, writer)
        cast("Wire", writer.transport.get_protocol()).lost = connection.lost
        self.open[connection] = task = asyncio.create_task(connection.run())
        task.add_done_callback(lambda _: self.open.pop(connection))
        if self._context.terminated.is_set():
            connection.wind_down()

    async def wind_down(self) -> None:
        """Let what is worked on end, for as long as is granted."""
        await self._context.terminated.set()
        for connection in list(self.open):
            connection.wind_down()
        if self.open:
            await asyncio.wait(self.open.values(), timeout=self._limits.settings.current.graceful_timeout)

    async def break_off(self) -> None:
        """End what is left, without waiting for clients that do not read."""
        late = dict(self.open)
        for connection, task in late.items():
            connection.cut_off()
            task.cancel()
        await asyncio.gather(*late.values(), return_exceptions=True)


async def serve(
    app: ASGIApp, listening: socket, limits: ListenerLimits, stop: asyncio.Event, tls: Tls | None = None
) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    connections = Connections(app, limits)
    server = await accept(listening, tls, connections.protocol, limits, connections.open)
    deadlines = asyncio.create_task(enforce_deadlines(limits, connections.open))
    try:
        await stop.wait()
        server.close()
        await connections.wind_down()
    finally:
        server.close()
        deadlines.cancel()
        await connections.break_off()
