"""A server with nothing but the event stream, on a real socket, and a client that sees every byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.events.listlog import ListLog
from tests.tuned import tuned
from wfx.api.answer_memory import AnswerMemory
from wfx.api.errors import reply_to
from wfx.api.handlers import events
from wfx.api.request import ApiRequest
from wfx.api.services import Services
from wfx.config.tunables import Holder
from wfx.domain.errors import WfxError
from wfx.events.broker import Broker
from wfx.request_context import RequestContext, Side
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.listeners import open_tcp
from wfx.store.protocol import Store

PATH = "/api/wfx/v1/jobs/events"


@dataclass
class Server:
    """The parts of a running server."""

    broker: Broker
    port: int
    log: ListLog
    connections: list[Connection] = field(default_factory=list)

    async def connect(
        self, query: str = "", *, headers: str = "", receive_buffer: int = 0, method: str = "GET", version: str = "1.1"
    ) -> Connection:
        """Ask for events."""
        connected = socket.socket()
        if receive_buffer:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", self.port))
        connection = Connection(connected)
        self.connections.append(connection)
        request = f"{method} {PATH}?{query} HTTP/{version}\r\nHost: localhost\r\n{headers}\r\n"
        await asyncio.get_running_loop().sock_sendall(connected, request.encode())
        while b"\r\n\r\n" not in connection.received:
            await connection.read_some()
            assert not connection.closed, "closed before there were headers"
        head, _, connection.received = connection.received.partition(b"\r\n\r\n")
        connection.status, *lines = head.decode().split("\r\n")
        connection.headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
        return connection


@dataclass
class Connection:
    """A client's connection after its request was answered with headers."""

    socket: socket.socket
    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    """Everything after the headers, as it came."""
    closed: bool = False

    @property
    def body(self) -> bytes:
        """What came of the body, without its transfer coding."""
        if ("transfer-encoding", "chunked") not in self.headers:
            return bytes(self.received)
        pieces, place = [], 0
        while (line_end := self.received.find(b"\r\n", place)) >= 0:
            begin = line_end + 2
            place = begin + int(self.received[place:line_end], 16) + 2
            pieces.append(self.received[begin : place - 2])
        return b"".join(pieces)

    @property
    def ended(self) -> bool:
        """Whether the body came to its proper end."""
        return self.received.endswith(b"0\r\n\r\n")

    async def read_some(self) -> None:
        """Take in what comes next; notices the end."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)
        except ConnectionResetError:
            data = b""
        self.closed = not data
        self.received += data

    async def until(self, end: bytes, seconds: float = 60) -> None:
        """Read until the body ends like this, at the end of a chunk."""
        async with asyncio.timeout(seconds):
            while not self.received.endswith((end, end + b"\r\n")):
                await self.read_some()
                assert not self.closed, f"closed after {self.received[-200:]!r}"

    async def until_closed(self, seconds: float = 60) -> None:
        """Read until the server closes the connection."""
        async with asyncio.timeout(seconds):
            while not self.closed:
                await self.read_some()

    async def until_ended(self, seconds: float = 60) -> None:
        """Read until the body is complete."""
        async with asyncio.timeout(seconds):
            while not self.ended:
                await self.read_some()
                assert not self.closed, "closed before the body was complete"

    def close(self) -> None:
        """Go away."""
        self.socket.close()


@asynccontextmanager
async def serving(
    engine: str = "uvicorn", *, store: Store | None = None, keep_alive: float = 30, grace: float = 60
) -> AsyncIterator[Server]:
    """Run a server in this process, over a list of events unless another store is given."""
    log = ListLog()
    broker = Broker(store or log.store)
    await broker.open()
    nothing: Any = None
    services = Services(
        jobs=nothing,
        bulk=nothing,
        limits=nothing,
        guard=nothing,
        workflows=nothing,
        devices=nothing,
        health=nothing,
        filters=nothing,
        large_bodies=nothing,
        answers=AnswerMemory(),
        downloads=nothing,
        broker=broker,
        max_body=0,
        tunables=tuned(sse_ping_interval=keep_alive, sse_grace_interval=grace),
        rule_store=nothing,
        incoming=nothing,
        tasks=nothing,
        scripts=nothing,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await events.get(
                ApiRequest(scope, services, RequestContext(Side.NORTH), {}, dict(request.query_params))
            )
        except WfxError as exc:
            response = reply_to(exc)
        await response(scope, receive, send)

    listener = open_tcp(Side.NORTH, "127.0.0.1", 0, engine)
    server = Server(broker, listener.socket.getsockname()[1], log)
    settings = Holder(HttpSettings(idle_timeout=10, graceful_timeout=2))
    limits = HttpLimits(settings).add_listener(Side.NORTH)
    stop = asyncio.Event()
    task = asyncio.create_task(listener.engine(app, listener.socket, limits, stop))
    try:
        yield server
    finally:
        await broker.close()
        for connection in server.connections:
            connection.close()
        stop.set()
        async with asyncio.timeout(60):
            await task
