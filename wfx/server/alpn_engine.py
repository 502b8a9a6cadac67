"""Both HTTP engines on one listener with TLS: HTTP/2 by hypercorn and HTTP/1.1 by uvicorn, as the handshake says."""

from __future__ import annotations

import asyncio
from functools import partial
from socket import socket
from typing import cast

from starlette.types import ASGIApp

from wfx.server import uvicorn_engine
from wfx.server.accepting import MakeProtocol
from wfx.server.hypercorn_engine import Connections
from wfx.server.limits import ListenerLimits, enforce_deadlines
from wfx.server.tls import Tls


class _ByAlpn(asyncio.Protocol):
    """Hands a connection on to a protocol for what client and server have agreed to speak (RFC 7301)."""

    def __init__(self, http2: MakeProtocol, http1: MakeProtocol) -> None:
        self._http2 = http2
        self._http1 = http1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        agreed = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        protocol = self._http2() if agreed == "h2" else self._http1()
        cast("asyncio.Transport", transport).set_protocol(protocol)
        protocol.connection_made(transport)


async def serve(
    app: ASGIApp, listening: socket, limits: ListenerLimits, stop: asyncio.Event, tls: Tls | None = None
) -> None:
    """Serve one app on one listener with TLS; see :class:`wfx.server.engine.Engine`."""
    http2 = Connections(app, limits)
    others = uvicorn_engine.OtherConnections(lambda http1: partial(_ByAlpn, http2.protocol, http1), http2.open)
    deadlines = asyncio.create_task(enforce_deadlines(limits, http2.open))
    winding_down = asyncio.create_task(_wind_down(http2, stop))
    try:
        await uvicorn_engine.serve(app, listening, limits, stop, tls, others)
        await winding_down
    finally:
        deadlines.cancel()
        winding_down.cancel()
        await http2.break_off()


async def _wind_down(connections: Connections, stop: asyncio.Event) -> None:
    await stop.wait()
    await connections.wind_down()
