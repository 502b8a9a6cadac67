"""Connection under hypercorn: reading, writing, deadlines, closing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import ConnectionState
from starlette.types import ASGIApp

from wfx.server import edge_errors
from wfx.server.certificates import client_certificate
from wfx.server.hypercorn_http1 import Http1
from wfx.server.hypercorn_http2 import Http2
from wfx.server.hypercorn_request import HypercornRequest
from wfx.server.limits import HALF_CLOSED_CHECK, LINGER, NEVER, ListenerLimits, cut_off
from wfx.server.request_reader import BETWEEN
from wfx.server.transports import all_sent, has_unread, is_tls

log = logging.getLogger("wfx.edge")

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_READ = 16 * 1024
"""Bytes that one connection reads before others are served: some bodies come in thousands of chunks."""


class Wire(asyncio.StreamReaderProtocol):
    """Opens the streams of a connection and reports its loss at once, not only to a pending read."""

    def __init__(self, opened: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> None:
        """Call ``opened`` with both streams; this is the protocol of their transport."""
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(loop=loop), opened, loop)
        self.lost: Callable[[], None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the loss."""
        super().connection_lost(exc)
        if self.lost is not None:
            self.lost()
            self.lost = None  # breaks a cycle with the connection


class Connection:
    """Carries HTTP/1.1 or HTTP/2, whichever the client begins with."""

    def __init__(
        self, app: ASGIApp, config: Config, context: WorkerContext, limits: ListenerLimits,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        """Serve ``app`` over the streams."""
        self.limits = limits
        self._app = app
        self._config = config
        self._context = context
        self._reader = reader
        self._writer = writer
        self._transport = writer.transport
        self._tls = is_tls(writer.transport)
        self.certificate = client_certificate(writer.transport) if self._tls else None
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._group = asyncio.TaskGroup()
        self._requests: set[HypercornRequest] = set()
        self._protocol: Http1 | Http2 | None = None
        self._client = _address(writer.get_extra_info("peername"))
        self._read_due = self._loop.time() + limits.settings.current.read_timeout
        self._write_due = NEVER
        self._fresh = True
        self._half_closed_until: float | None = None
        """When a client that has closed its sending side must have the beginning of its answer."""
        self._closing = False
        self._over = False

    @property
    def due(self) -> float:
        """When the next deadline passes."""
        return min(self._read_due, self._write_due, *(request.due for request in self._requests))

    @property
    def working(self) -> int:
        """How many of its requests are worked on."""
        return len(self._requests)

    async def run(self) -> None:
        """Serve until either side ends the connection."""
        try:
            async with self._group:
                await self._serve()
        except Exception:
            log.exception("unexpected error on a connection")
        finally:
            self._over = True
            self._transport.abort()
            if isinstance(self._protocol, Http2):
                self._protocol.release()
            self._protocol = None

    async def _serve(self) -> None:
        data = await self._read_beginning()
        if data:
            self._protocol = self._choose(data)
            await self._protocol.initiate()
        while data:
            await self._take(data)
            if len(data) == _READ:
                await asyncio.sleep(0)
            data = await self._read()
        await self._end()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_READ)
        except OSError:
            return b""

    async def _read_beginning(self) -> bytes:
        """Read what tells HTTP/2 from HTTP/1.1."""
        data = await self._read()
        while len(data) < len(_PREFACE) and _PREFACE.startswith(data):
            more = await self._read()
            if not more:
                break
            data += more
        return data

    def _choose(self, data: bytes) -> Http1 | Http2:
        kind = Http2 if data.startswith(_PREFACE) else Http1
        server = _address(self._transport.get_extra_info("sockname"))
        state = ConnectionState({})
        return kind(
            self, self._app, self._config, self._context, self, state, self._tls, self._client, server, self.send
        )  # fmt: skip

    async def _take(self, data: bytes) -> None:
        """Pass received data to the protocol, unless the connection is closing."""
        if self._closing or self._protocol is None:
            return
        await self._protocol.handle(RawData(data))
        if isinstance(self._protocol, Http2):
            if self._context.terminated.is_set() and self._protocol.idle:
                await self._protocol.say_goodbye()
        elif not self._closing:
            if self._protocol.connection.phase != BETWEEN:
                self._read_due = self._protocol.connection.began + self.limits.settings.current.read_timeout
            elif not self._protocol.idle:
                self._read_due = NEVER

    async def _end(self) -> None:
        """End after the client has left or closed its sending side."""
        waiting = [request for request in self._requests if not request.endless]
        if isinstance(self._protocol, Http1) and waiting and not self._closing and not self._protocol.in_body:
            now = self._loop.time()
            self._half_closed_until = now + self.limits.settings.current.read_timeout
            self._read_due = now + HALF_CLOSED_CHECK
            for request in waiting:  # the last one, and those before it that are just ending
                await request.ended()
        if self._protocol is not None:
            await self._protocol.handle(Closed())
        self._close()

    def spawn(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run something, unless the connection is over."""
        coroutine = work(*arguments)
        try:
            self._group.create_task(coroutine)
        except RuntimeError:  # the group is ending, and cleans up itself
            coroutine.close()

    def start(self, request: HypercornRequest, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a request's work in a task of its own."""
        task = self._group.create_task(work)
        self._requests.add(request)
        task.add_done_callback(lambda _: self._requests.discard(request))
        return task

    async def send_continue(self) -> None:
        """Send ``100 Continue`` to a client that waits for it."""
        if self._protocol is not None:
            await self._protocol.send_continue()

    def abort(self, request: HypercornRequest) -> None:
        """End an answer at once; over HTTP/2 the connection stays, unless its client takes nothing."""
        if isinstance(self._protocol, Http2) and not self._lock.locked():
            self.spawn(self._protocol.reset, request.stream_id)
        else:
            cut_off(self._transport)

    async def send(self, event: Event) -> None:
        """Carry out an event of the protocol."""
        match event:
            case RawData():
                await self._write(event.data)
            case Closed():
                self._close()
            case Updated() if not self._closing:
                await self._update(idle=event.idle)

    async def _update(self, *, idle: bool) -> None:
        if not idle:
            self._fresh = False
            self._read_due = NEVER
        elif self._context.terminated.is_set() and isinstance(self._protocol, Http2):
            await self._protocol.say_goodbye()
        else:
            self._read_due = self._loop.time() + self.limits.settings.current.idle_timeout

    async def _write(self, data: bytes) -> None:
        if self._transport.is_closing() or self._closing:
            return
        self._writer.write(data)  # before any await: a cancelled task must not lose frames
        async with self._lock:
            if isinstance(self._protocol, Http2) and self._transport.get_write_buffer_size():
                self._write_due = self._loop.time() + self.limits.settings.current.write_timeout
            try:
                await self._writer.drain()
            except OSError:
                return  # lost: the wire reports that
            self._write_due = NEVER

    def _close(self) -> None:
        """Close once all is sent; what the client still sends is discarded for a moment (see LINGER)."""
        if self._closing or self._transport.is_closing():
            return
        self._closing = True
        receiving = self._protocol is not None and self._protocol.receiving
        if receiving and not self._reader.at_eof() and self._transport.can_write_eof():
            self._transport.write_eof()
            self._read_due = self._loop.time() + LINGER
            return
        self._transport.close()
        self._read_due = self._loop.time() + LINGER if self._tls else NEVER
        if self._transport.get_write_buffer_size() or self._tls:
            self._write_due = self._loop.time() + self.limits.settings.current.write_timeout

    def wind_down(self) -> None:
        """End as soon as no request is worked on: the service stops."""
        arriving = has_unread(self._transport)
        if isinstance(self._protocol, Http2):
            if self._protocol.idle and not arriving:
                self.spawn(self._protocol.say_goodbye)
        elif not arriving and (self._protocol is None or (self._protocol.idle and not self._protocol.receiving)):
            self._close()

    def cut_off(self) -> None:
        """End at once, whether the client reads or not."""
        cut_off(self._transport)

    def lost(self) -> None:
        """Cancel the work for a client that has left."""
        self._read_due = self._write_due = NEVER
        if self._over:
            return
        for request in list(self._requests):
            request.leave()
        if self._protocol is not None:
            self.spawn(self._protocol.lost)

    def overdue(self, now: float) -> None:
        """Act on the deadlines that have passed."""
        if self._write_due <= now:
            self._cut_off()
        elif self._read_due <= now:
            self._read_due = NEVER
            self._give_up_reading()
        for request in list(self._requests):
            if request.write_due <= now:
                request.write_due = NEVER
                self.limits.refusals.note("slow-reader", self._client)
                self.abort(request)
            elif request.read_due <= now:
                self._refuse_body(request)

    def _cut_off(self) -> None:
        self.limits.refusals.note("slow-reader", self._client)
        self._write_due = NEVER
        cut_off(self._transport)

    def _give_up_reading(self) -> None:
        match self._protocol:
            case _ if self._closing and self._tls and not all_sent(self._transport):
                self._read_due = self._loop.time() + LINGER
            case _ if self._closing:
                cut_off(self._transport)
            case _ if self._half_closed_until is not None:
                self._check_half_closed(self._half_closed_until)
            case Http1(in_body=True, request=HypercornRequest() as request):
                self._refuse_body(request)
            case Http2() if not self._fresh:
                self.spawn(self._protocol.say_goodbye)
            case _:
                if self._fresh or (self._protocol is not None and self._protocol.receiving):
                    begun = self._protocol is not None
                    self.limits.refusals.note("slow-head" if begun else "silent", self._client)
                self._close()

    def _check_half_closed(self, until: float) -> None:
        """End the connection if no answer begins in time, or if it is an event stream: nobody may be there any more."""
        now = self._loop.time()
        endless = any(request.endless for request in self._requests)
        if endless or (now >= until and not any(request.response_started for request in self._requests)):
            cut_off(self._transport)
        else:
            self._read_due = now + HALF_CLOSED_CHECK

    def _refuse_body(self, request: HypercornRequest) -> None:
        self.limits.refusals.note("slow-body", self._client)
        if request.response_complete:
            self._close()
        else:
            request.refuse(edge_errors.SLOW_BODY)


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
