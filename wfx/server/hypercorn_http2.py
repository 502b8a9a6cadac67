"""HTTP/2 under hypercorn, with limits that hypercorn lacks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import h2.connection
import h2.errors
import h2.events
import h2.exceptions
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import events
from hypercorn.protocol.h2 import H2Protocol, StreamBuffer
from hypercorn.utils import filter_pseudo_headers
from priority.priority import MissingStreamError

from wfx.api.reply import CLOSE
from wfx.server import edge_errors
from wfx.server.edge_errors import Refusal
from wfx.server.hypercorn_request import Carrier, HypercornRequest, open_stream
from wfx.server.limits import MAX_STREAMS
from wfx.server.request_line import MAX_FIELDS, METHODS, Target, read_target, valid_host

_CREDIT = 1000.0
"""Control frames (settings, pings, resets, window updates, empty data) that a client may send before it gets more."""
_CREDIT_A_SECOND = 50.0
_CREDIT_AN_ANSWER = 4.0
_CREDIT_A_FRAME = 2.0
"""Credit for each answer and each frame of data: a client that takes them has to send window updates."""
_FRAME = 16 * 1024
_COSTLY = (
    h2.events.PingAckReceived,
    h2.events.PingReceived,
    h2.events.PriorityUpdated,
    h2.events.RemoteSettingsChanged,
    h2.events.SettingsAcknowledged,
    h2.events.StreamReset,
    h2.events.UnknownFrameReceived,
    h2.events.WindowUpdated,
)


def check_head(fields: list[tuple[bytes, bytes]]) -> tuple[str, Target] | Refusal:
    """Check a head, as :mod:`wfx.server.request_reader` does for HTTP/1.1; h2 has checked its syntax."""
    pseudo = {name: value for name, value in fields if name[:1] == b":"}
    method = pseudo.get(b":method", b"")
    path = pseudo.get(b":path", b"")
    if method not in METHODS:
        return edge_errors.bad_method(path.partition(b"?")[0])
    if path != b"*" and path[:1] != b"/":
        return edge_errors.BAD_TARGET
    reason = _check_fields(fields, pseudo)
    if reason is not None:
        return reason
    target = read_target(path, method)
    return target if isinstance(target, Refusal) else (method.decode("ascii"), target)


def _check_fields(fields: list[tuple[bytes, bytes]], pseudo: dict[bytes, bytes]) -> Refusal | None:
    if len(fields) - len(pseudo) > MAX_FIELDS:
        return edge_errors.MANY_FIELDS
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) > 1:
        return edge_errors.MANY_HOSTS
    if not valid_host(pseudo.get(b":authority", (hosts or [b""])[0])):
        return edge_errors.BAD_HOST
    return edge_errors.MALFORMED if sum(name == b"content-length" for name, _ in fields) > 1 else None


class Http2(H2Protocol):
    """One HTTP/2 connection; its carrier reads and writes the bytes."""

    receiving = True
    """Whether the client may still send data: over HTTP/2 it always may."""

    def __init__(self, carrier: Carrier, *arguments: Any) -> None:
        """Speak over ``carrier``; the other arguments are hypercorn's."""
        super().__init__(*arguments)
        self.connection.decoder.max_header_list_size = carrier.limits.max_head  # hypercorn only announces it
        self._carrier = carrier
        self._requests: dict[int, HypercornRequest] = {}
        self._credit = _CREDIT
        self._credited = self.context.time()

    async def send_continue(self) -> None:
        """Do nothing: over HTTP/2 clients do not wait for ``100 Continue``."""

    async def handle(self, event: Event) -> None:
        """Handle received data."""
        if not isinstance(event, RawData):
            await super().handle(event)
            return
        try:
            found = self.connection.receive_data(event.data)
        except h2.exceptions.ProtocolError:
            self._carrier.limits.refusals.note("malformed", self.client)
            await self._flush()
            await self.send(Closed())
        else:
            await self._handle_events(found)

    async def lost(self) -> None:
        """Handle the loss of the connection."""
        await self.handle(Closed())

    def release(self) -> None:
        """Empty h2's connection, whose cycles would keep headers in memory until the garbage collector runs."""
        vars(self.connection).clear()

    async def _handle_events(self, found: list[h2.events.Event]) -> None:
        for event in found:
            if self._costs(event) and self._exhausted():
                self._carrier.limits.refusals.note("flood", self.client)
                await self.say_goodbye(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
                return
            await self._handle_event(event)
        await self._flush()

    async def _handle_event(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.DataReceived) and event.stream_id not in self.streams:
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            return
        if not isinstance(event, h2.events.RequestReceived):
            await super()._handle_events([event])
            return
        await self._create_stream(event)  # hypercorn would reset it while the service stops
        await self.send(Updated(idle=self.idle))

    def _costs(self, event: h2.events.Event) -> bool:
        empty = isinstance(event, h2.events.DataReceived) and not event.data and event.stream_ended is None
        return empty or isinstance(event, _COSTLY)

    def _exhausted(self) -> bool:
        self._credit -= 1
        if self._credit >= 0:
            return False
        now = self.context.time()
        self._credit = min(_CREDIT, self._credit + _CREDIT_A_SECOND * (now - self._credited))
        self._credited = now
        return self._credit < 0

    def _earn(self, credit: float) -> None:
        self._credit = min(_CREDIT, self._credit + credit)

    async def say_goodbye(self, reason: h2.errors.ErrorCodes = h2.errors.ErrorCodes.NO_ERROR) -> None:
        """Tell the client that the connection ends, and end it."""
        with suppress(h2.exceptions.ProtocolError):
            self.connection.close_connection(reason)
            await self._flush()
        await self.send(Closed())

    async def _priority_updated(self, event: h2.events.PriorityUpdated) -> None:
        """Ignore priorities: RFC 9113 has none, and a tree of them is memory that clients decide on."""

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        fields: Any = request.headers
        judged = check_head(fields)
        if not isinstance(judged, Refusal) and (self._carrier.limits.busy or self._carrier.working >= MAX_STREAMS):
            judged = edge_errors.BUSY
        if isinstance(judged, Refusal):
            await self._refuse(request.stream_id, judged, ended=request.stream_ended is not None)
            return
        method, (path, query, _) = judged
        stream_id = request.stream_id
        work = self._requests[stream_id] = HypercornRequest(self._carrier, self, stream_id, self.app)  # type: ignore[arg-type]  # ASGI
        work.length = next((int(value) for name, value in fields if name == b"content-length"), None)
        work.read_due = self.context.time() + self._carrier.limits.settings.current.read_timeout
        self.streams[stream_id] = open_stream(self, work)
        self.stream_buffers[stream_id] = StreamBuffer(self.context.event_class)
        self.priority.insert_stream(stream_id)
        self.priority.block(stream_id)
        await self.streams[stream_id].handle(
            events.Request(
                stream_id=stream_id,
                headers=filter_pseudo_headers(fields),
                http_version="2",
                method=method,
                raw_path=path + b"?" + query if query else path,
                state=self.connection_state,
            )
        )

    async def _refuse(self, stream_id: int, reason: Refusal, *, ended: bool) -> None:
        """Answer without a task, so that refusals are cheap; the connection stays."""
        self._carrier.limits.refusals.note(reason.kind, self.client)
        reply = reason.reply()
        body = bytes(reply.body)
        with suppress(h2.exceptions.ProtocolError):
            fields = [field for field in reply.raw_headers if field != CLOSE]
            headers = [(b":status", b"%d" % reason.status), *fields, *self.config.response_headers("h2")]
            self.connection.send_headers(stream_id, headers)
            if self.connection.local_flow_control_window(stream_id) >= len(body):
                self.connection.send_data(stream_id, body, end_stream=True)
            else:
                ended = False
            if not ended:
                self.connection.reset_stream(stream_id)
        await self._flush()

    async def stream_send(self, event: events.Event) -> None:
        """Send a part of an answer. One that ends before it is complete ends its stream."""
        request = self._requests.get(event.stream_id)
        await super().stream_send(event)
        if isinstance(event, events.Body):
            self._earn(_CREDIT_A_FRAME * (1 + len(event.data) // _FRAME))
        elif isinstance(event, events.EndBody):
            self._earn(_CREDIT_AN_ANSWER)
        elif isinstance(event, events.StreamClosed) and request is not None and not request.response_complete:
            await self.reset(event.stream_id)

    async def reset(self, stream_id: int) -> None:
        """End a stream at once."""
        with suppress(h2.exceptions.ProtocolError):
            self.connection.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
        await self._close_stream(stream_id)
        await self._window_updated(stream_id)
        await self._flush()

    async def _close_stream(self, stream_id: int) -> None:
        await super()._close_stream(stream_id)
        self._requests.pop(stream_id, None)
        if self.idle:
            await self.send(Updated(idle=True))

    async def _send_data(self, stream_id: int) -> None:
        if stream_id not in self.stream_buffers:
            with suppress(MissingStreamError):
                self.priority.remove_stream(stream_id)
            return
        await super()._send_data(stream_id)
        if stream_id not in self.stream_buffers:
            await self._stop_upload(stream_id)

    async def _stop_upload(self, stream_id: int) -> None:
        """Tell a client that has its answer not to send the rest of its request (RFC 9113 section 8.1)."""
        stream = self.connection.streams.get(stream_id)
        if stream is not None and not stream.closed:
            with suppress(h2.exceptions.ProtocolError):
                self.connection.reset_stream(stream_id)
            await self._flush()
