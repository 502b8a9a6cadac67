"""HTTP/1.1 under hypercorn, with the same reader as under uvicorn."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any

import h11
from hypercorn.events import Closed, RawData
from hypercorn.protocol import events
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol

from wfx.api.reply import CLOSE
from wfx.server import edge_errors
from wfx.server.hypercorn_request import Carrier, HypercornRequest, open_stream
from wfx.server.request_reader import BETWEEN, BODY, RequestReader


class Reader(h11.Connection, RequestReader):
    """h11's connection state, fed by our reader instead of h11's parser."""

    def __init__(self, max_head: int) -> None:
        """Read heads of at most ``max_head`` bytes."""
        h11.Connection.__init__(self, h11.SERVER)
        RequestReader.__init__(self, max_head)
        self.began = asyncio.get_running_loop().time()
        """When the present request began; the first one begins with its connection."""
        self._fresh = True
        self._body = bytearray()
        """Received parts of a body that are not passed on yet."""
        self._events: deque[Any] = deque()

    they_are_waiting_for_100_continue = False  # they are told when the app asks for the body

    def receive_data(self, data: bytes) -> None:
        """Add received data; it is read when the requests before it are done."""
        if self.refusal is None:
            self.add(data)

    def drop(self) -> None:
        """Discard received data that is not passed on yet."""
        super().drop()
        self._body.clear()
        self._events.clear()

    def _extract_next_receive_event(self) -> Any:
        if self.their_state not in (h11.IDLE, h11.SEND_BODY):
            over = self.their_state in (h11.MUST_CLOSE, h11.CLOSED)
            waits = self._events or self.pending or self.refusal
            return h11.PAUSED if waits and not over else h11.NEED_DATA
        while not self._events and self.read():
            pass
        self._pass_on_body()
        if self._events:
            return self._events.popleft()
        if self.refusal is not None:
            raise h11.RemoteProtocolError(self.refusal.text, self.refusal.status)
        return h11.NEED_DATA

    def _pass_on_body(self) -> None:
        """Make one event of the received parts of a body, however many chunks they came in."""
        if self._body:
            self._events.append(h11.Data(data=bytes(self._body)))
            self._body.clear()

    def request_begun(self) -> None:
        """Note when a request begins."""
        if not self._fresh:
            self.began = asyncio.get_running_loop().time()
        self._fresh = False

    def head_complete(self) -> None:
        """Pass on a head."""
        target = self.path + b"?" + self.query if self.query else self.path
        self._events.append(
            h11.Request(method=self.method, target=target, headers=self.headers, http_version=self.version)
        )

    def body_piece(self, body: bytes) -> None:
        """Keep a piece of a body."""
        self._body += body

    def message_complete(self) -> None:
        """Pass on the end of a request."""
        self._pass_on_body()
        self._events.append(h11.EndOfMessage())


class Http1(H11Protocol):
    """One HTTP/1.1 connection; its carrier reads and writes the bytes."""

    connection: Reader

    def __init__(self, carrier: Carrier, *arguments: Any) -> None:
        """Speak over ``carrier``; the other arguments are hypercorn's."""
        super().__init__(*arguments)
        self._carrier = carrier
        self.connection = Reader(carrier.limits.max_head)
        self.request: HypercornRequest | None = None
        """The request that is worked on, or the last one."""

    @property
    def idle(self) -> bool:
        """Whether no request is worked on."""
        return self.stream is None

    @property
    def receiving(self) -> bool:
        """Whether a request is partly received, or the client may still send data that is discarded."""
        return self.connection.phase != BETWEEN or self.connection.refusal is not None

    @property
    def in_body(self) -> bool:
        """Whether the received data ends within a body."""
        return self.connection.phase == BODY

    async def send_continue(self) -> None:
        """Send ``100 Continue`` to a client that waits for it."""
        if self.connection.expects_continue and self.connection.client_is_waiting_for_100_continue:
            await self._send_h11_event(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))

    async def lost(self) -> None:
        """Handle the loss of the connection, also while a pipelined request waits to be read."""
        self.connection.drop()
        await self.handle(Closed())
        await self.can_read.set()

    async def _check_protocol(self, event: h11.Request) -> None:
        """Ignore offers to change the protocol."""

    async def _create_stream(self, request: h11.Request) -> None:
        app: Any = self.app
        if self._carrier.limits.busy:
            self._carrier.limits.refusals.note("busy", self.client)
            app = edge_errors.BUSY
        self.request = HypercornRequest(self._carrier, self, STREAM_ID, app)
        self.stream = open_stream(self, self.request)
        await self.stream.handle(
            events.Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii"),
                raw_path=request.target,
                state=self.connection_state,
            )
        )

    async def stream_send(self, event: events.Event) -> None:
        """Send a part of an answer; the last answer of the connection has ``Connection: close``."""
        if not isinstance(event, events.Response):
            await super().stream_send(event)
            return
        headers = [*event.headers, *self.config.response_headers("h11")]
        if self._is_last():
            headers = [*(field for field in headers if field[0] != b"connection"), CLOSE]
        reason = HTTPStatus(event.status_code).phrase.encode()
        await self._send_h11_event(h11.Response(status_code=event.status_code, headers=headers, reason=reason))

    def _is_last(self) -> bool:
        stays = self._carrier.limits.settings.current.keep_alive and not self.context.terminated.is_set()
        return not stays or self.connection.their_state is h11.SEND_BODY

    async def _send_error_response(self, status_code: int) -> None:  # noqa: ARG002  # the reason has it
        """Answer a request that could not be read with the reason."""
        reason = self.connection.refusal or edge_errors.MALFORMED
        self._carrier.limits.refusals.note(reason.kind, self.client)
        if self.request is not None and not self.request.response_complete:
            self.request.cut()
        await self.send(RawData(reason.raw(self.connection.method)))
