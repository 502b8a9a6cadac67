"""HTTP engine uvicorn with httptools: HTTP/1.1, the faster one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from wfx.server.accepting import Acceptor, MakeProtocol, accept
from wfx.server.limits import LINGER, ListenerLimits, enforce_deadlines
from wfx.server.tls import Tls
from wfx.server.uvicorn_protocol import EdgeProtocol


@dataclass(frozen=True, slots=True)
class OtherConnections:
    """Connections of the same listener that are served by others."""

    choose: Callable[[MakeProtocol], MakeProtocol]
    """Given what makes the protocol of uvicorn, makes the protocol of a new connection."""
    connections: Sized
    """Those that are open."""


class _Server(uvicorn.Server):
    """uvicorn's server with our acceptor, and without its signal handlers: one signal stops all listeners."""

    servers: list[Acceptor]  # type: ignore[assignment]  # all that uvicorn does with a server

    def __init__(
        self, config: uvicorn.Config, limits: ListenerLimits, tls: Tls | None, others: OtherConnections | None
    ) -> None:
        """Serve within the limits."""
        super().__init__(config)
        self.servers = []
        self._limits = limits
        self._tls = tls
        self._others = others
        self.connections: Collection[EdgeProtocol] = self.server_state.connections  # type: ignore[assignment]  # no others

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Accept connections on one socket."""
        assert sockets is not None
        await self.lifespan.startup()
        make: MakeProtocol = partial(EdgeProtocol, self._limits, self.config, self.server_state, self.lifespan.state)
        connections: Sized = self.connections
        if self._others is not None:
            make, connections = self._others.choose(make), _TotalSize(connections, self._others.connections)
        self.servers = [await accept(sockets[0], self._tls, make, self._limits, connections)]
        self.started = True

    async def break_off(self) -> None:
        """End what is left of connections and requests."""
        for server in self.servers:
            server.close()
        for connection in list(self.connections):
            connection.break_off()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LINGER)


class _TotalSize:
    """As many as there are of several kinds."""

    def __init__(self, *kinds: Sized) -> None:
        self._kinds = kinds

    def __len__(self) -> int:
        return sum(map(len, self._kinds))


async def serve(
    app: ASGIApp,
    listening: socket,
    limits: ListenerLimits,
    stop: asyncio.Event,
    tls: Tls | None = None,
    others: OtherConnections | None = None,
) -> None:
    """Serve one app on one listener; see :class:`wfx.server.engine.Engine`."""
    config = uvicorn.Config(
        app,
        http=EdgeProtocol,  # made in startup
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config, limits, tls, others)
    watcher = asyncio.create_task(_stop_when_told(server, limits, stop))
    deadlines = asyncio.create_task(enforce_deadlines(limits, server.connections))
    try:
        await server.serve(sockets=[listening])
    finally:
        watcher.cancel()
        deadlines.cancel()
        await server.break_off()


async def _stop_when_told(server: _Server, limits: ListenerLimits, stop: asyncio.Event) -> None:
    await stop.wait()
    limits.stopping = True
    for acceptor in server.servers:  # uvicorn does all this at its next tick; answers may be sent before
        acceptor.close()
    for connection in list(server.connections):
        connection.shutdown()
    graceful: Any = limits.settings.current.graceful_timeout  # an int by its type, used as a float throughout
    server.config.timeout_graceful_shutdown = graceful
    server.should_exit = True
