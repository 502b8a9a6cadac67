"""Request and answer under hypercorn, over HTTP/1.1 or HTTP/2."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from hypercorn.protocol import events
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from starlette.types import ASGIApp, Message

from wfx.api.request import ABORT_EXTENSION, CERTIFICATE_EXTENSION
from wfx.request_context import ClientCertificate
from wfx.server import edge_errors
from wfx.server.edge_errors import Refusal
from wfx.server.limits import NEVER, ListenerLimits
from wfx.server.request_task import STREAM, RequestTask

_HIGH_WATER = 64 * 1024
"""Bytes of a body that wait for the app before no more are read."""

Send = Callable[[Message | None], Awaitable[None]]


class Carrier(Protocol):
    """The connection of a request."""

    limits: ListenerLimits
    certificate: ClientCertificate | None

    @property
    def working(self) -> int:
        """How many of its requests are worked on."""

    def start(self, request: HypercornRequest, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a request's work in a task of its own."""

    async def send_continue(self) -> None:
        """Send ``100 Continue`` to a client that waits for it."""

    def abort(self, request: HypercornRequest) -> None:
        """End an answer at once, and its connection if necessary."""


class HypercornRequest(RequestTask):
    """Connects a stream of hypercorn's with the app, in the place of the task group in which the stream runs apps."""

    def __init__(self, carrier: Carrier, protocol: H11Protocol | H2Protocol, stream_id: int, app: ASGIApp) -> None:
        """Belong to a connection and its protocol; ``app`` answers."""
        self.limits = carrier.limits
        self.stream_id = stream_id
        self.read_due = NEVER
        """Deadline of the body; used over HTTP/2, where each request has its own."""
        self.length: int | None = None
        """Announced bytes of the body; used over HTTP/2, where its end is marked otherwise."""
        self.write_due = NEVER
        """Deadline for the client to take the answer."""
        self.response_started = self.response_complete = self.disconnected = False
        self._carrier = carrier
        self._app = app
        self._to_stream: Send
        self._end_stream = protocol.stream_send
        self._body: deque[Message] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def due(self) -> float:
        """When the next deadline passes."""
        return min(self.read_due, self.write_due)

    async def spawn_app(self, app: Any, config: Any, scope: Any, send: Send) -> Callable[[Message], Awaitable[None]]:
        """Run the app. hypercorn's stream calls this, then the returned function with each message of the client."""
        del app, config
        self.scope = scope
        scope["extensions"] = {
            ABORT_EXTENSION: lambda: self._carrier.abort(self),
            CERTIFICATE_EXTENSION: self._carrier.certificate,
        }
        self._to_stream = send
        task = self._carrier.start(self, self.run(self._app))
        task.add_done_callback(self._detach)
        self.begin(task)
        return self._put

    def _detach(self, _task: asyncio.Task[None]) -> None:
        """Drop references to the stream, which refers to this: a cycle would stay until the garbage collector runs."""
        self.disconnected = True
        del self.scope, self._to_stream, self._end_stream

    async def _put(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.leave()
            return
        if self.disconnected or self.response_complete:
            return
        size = len(message["body"])
        too_much = self.hold(size)
        if not message["more_body"]:
            self.read_due = NEVER
            if self.length not in (None, self.received):
                self.limits.refusals.note("malformed", self.scope["client"])
                self.refuse(edge_errors.MALFORMED)
                return
        self._body.append(message)
        self._waiting += size
        self._arrived.set()
        if too_much:
            self.limits.refusals.note("bodies", self.scope["client"])
            self.refuse(edge_errors.BODIES)
        elif self._waiting > _HIGH_WATER:
            self._room.clear()
            await self._room.wait()

    def leave(self) -> None:
        """Handle the end of the stream: it is answered, or the client has left."""
        self.read_due = NEVER
        self._arrived.set()
        self._room.set()
        if asyncio.current_task() is not self._task:
            self.cut()
        self.disconnected = True

    async def ended(self) -> None:
        """Wait until the work on it has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def refuse(self, reason: Refusal) -> None:
        """Answer with a refusal, or break off an answer that has begun."""
        self.read_due = NEVER
        if self.response_started:
            self._carrier.abort(self)
        else:
            self.cut(reason)

    async def receive(self) -> Message:
        """Receive, as ASGI has it."""
        await self._carrier.send_continue()
        while not (self._body or self.disconnected or self.response_complete):
            self._arrived.clear()
            await self._arrived.wait()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        message = self._body.popleft()
        self._waiting -= len(message["body"])
        self._room.set()
        return message

    async def send(self, message: Message) -> None:
        """Send, as ASGI has it."""
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._start(message)
        elif not message.get("more_body", False):
            self.response_complete = True
        await self._to_stream(message)
        if self.response_complete:
            self.write_due = NEVER

    def _start(self, message: Message) -> None:
        self.response_started = True
        if any(name == b"content-type" and value.startswith(STREAM) for name, value in message["headers"]):
            self.stream()
        else:
            self.write_due = asyncio.get_running_loop().time() + self.limits.settings.current.write_timeout

    async def break_off(self) -> None:
        """End the stream; hypercorn would write an answer of its own, even after a part of ours."""
        if self.disconnected:
            return
        if self.response_started:
            await self._end_stream(events.StreamClosed(self.stream_id))
        else:  # the service stops
            self._carrier.abort(self)


def open_stream(protocol: H11Protocol | H2Protocol, request: HypercornRequest) -> HTTPStream:
    """Open a stream of hypercorn's for a request."""
    return HTTPStream(
        protocol.app,
        protocol.config,
        protocol.context,
        request,  # type: ignore[arg-type]  # all that a stream needs of a task group
        protocol.ssl,
        protocol.client,
        protocol.server,
        protocol.stream_send,
        request.stream_id,
    )
