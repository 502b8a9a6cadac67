"""Connection under uvicorn, with our reader, limits and deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from wfx.api.request import ABORT_EXTENSION, CERTIFICATE_EXTENSION
from wfx.server import edge_errors
from wfx.server.certificates import client_certificate
from wfx.server.edge_errors import Refusal
from wfx.server.limits import HALF_CLOSED_CHECK, LINGER, NEVER, ListenerLimits, cut_off
from wfx.server.request_reader import BETWEEN, BODY, RequestReader
from wfx.server.transports import all_sent, has_unread, is_tls
from wfx.server.uvicorn_cycle import Cycle

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_STEPS = 1000
"""Steps that one connection reads before others are served: some bodies come in thousands of chunks."""


class _Outlet:
    """The part of its connection that a cycle uses: writes to it, and ends it."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class EdgeProtocol(RequestReader, HttpToolsProtocol):
    """One HTTP/1.1 connection."""

    __slots__ = (
        "_close_notify_sent",
        "_current",
        "_extensions",
        "_fresh",
        "_half_closed_until",
        "_lingers",
        "_outlet",
        "_partial",
        "_read_due",
        "_resumes",
        "_tls",
        "_write_due",
        "limits",
    )
    cycle: Cycle
    """The request that was received last."""

    def __init__(
        self,
        limits: ListenerLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
    ) -> None:
        """Count against ``limits``; the other arguments are uvicorn's."""
        HttpToolsProtocol.__init__(self, config, server_state, app_state, _loop)
        RequestReader.__init__(self, limits.max_head)
        self.parser = None  # type: ignore[assignment]  # uvicorn's own; requests are read by the reader
        self.limits = limits
        self._current: Cycle | None = None
        """The request that is worked on; data received after it is not read yet."""
        self._read_due = NEVER
        self._write_due = NEVER
        self._fresh = True
        """Whether no request has been received yet."""
        self._partial = False
        """Whether the deadline of a partly received request is set."""
        self._half_closed_until: float | None = None
        """When a client that has closed its sending side must have the beginning of its next answer."""
        self._resumes = False
        """Whether reading goes on after other connections were served."""
        self._lingers = False
        self._tls = False
        self._close_notify_sent = False
        """Whether the end of TLS was offered to the client, which need not answer."""
        self._extensions: dict[str, Any]
        self._outlet: _Outlet

    @property
    def due(self) -> float:
        """When the next deadline passes."""
        return min(self._read_due, self._write_due)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Set up the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        self._tls = is_tls(transport)
        self._extensions = {
            ABORT_EXTENSION: partial(cut_off, transport),
            CERTIFICATE_EXTENSION: client_certificate(transport) if self._tls else None,
        }
        self._outlet = _Outlet(transport, self._finish)
        self._read_due = self.loop.time() + self.limits.settings.current.read_timeout
        if len(self.connections) > self.limits.max_connections:
            self.limits.refusals.note("connections", self.client)
            self.refusal = edge_errors.FULL
            transport.write(edge_errors.FULL.raw())
            self._close()

    def data_received(self, data: bytes) -> None:
        """Add received data; what follows an unanswered request is read after its answer."""
        if self.refusal is not None or self._lingers:
            return
        self.add(data)
        if self.phase == BETWEEN and self._current is not None:
            self.flow.pause_reading()
        else:
            self._read_on()

    def _read_on(self) -> None:
        """Read up to the end of the next request, which is answered before more is read."""
        for _ in range(_STEPS):
            if not self.read():
                break
            if self.phase == BETWEEN and self._current is not None:
                if self.pending:
                    self.flow.pause_reading()
                return
        else:
            self.flow.pause_reading()
            self._resumes = True
            self.loop.call_soon(self._resume_reading)
        if self.refusal is not None:
            self._refuse(self.refusal)
        elif self.phase != BETWEEN and not self._partial:
            self._partial = True
            if not self._fresh:
                self._read_due = self.loop.time() + self.limits.settings.current.read_timeout

    def _resume_reading(self) -> None:
        """Continue to read after other connections were served."""
        self._resumes = False
        if self.refusal is not None or self._lingers or self.transport.is_closing():
            return
        if self.phase != BETWEEN or self._current is None:
            if len(self.cycle.body) <= HIGH_WATER_LIMIT:
                self.flow.resume_reading()
            self._read_on()
        if self._half_closed_until is not None:
            self._close_unless_asked()

    def head_complete(self) -> None:
        """Begin to work on a request; all earlier ones are answered."""
        self._fresh = False
        if not self._partial:
            self._read_due = NEVER
        path = self.path.decode("ascii")
        scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": self.version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": self.method.decode("ascii"),
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": self.path,
            "query_string": self.query,
            "headers": self.headers,
            "extensions": self._extensions,
        }
        keep_alive = self.limits.settings.current.keep_alive and self.stays and not self.limits.stopping
        if self.limits.busy:
            self.limits.refusals.note("busy", self.client)
            self._begin(edge_errors.BUSY, scope, keep_alive=False)
        else:
            self._begin(self.app, scope, keep_alive=keep_alive)

    def _begin(self, app: ASGIApp, scope: dict[str, Any], *, keep_alive: bool) -> None:
        self.cycle = self._current = cycle = Cycle(
            scope=scope,  # type: ignore[arg-type]  # ASGI by another name
            transport=self._outlet,  # type: ignore[arg-type]  # all that a cycle needs of it
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expects_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.limits = self.limits
        task = self.loop.create_task(cycle.run(app))
        cycle.begin(task)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def body_piece(self, body: bytes) -> None:
        """Pass a piece of a body to the app."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.waiting_for_100_continue = False
        cycle.body += body
        too_much = cycle.hold(len(body))
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()
        if too_much:
            self.refusal = edge_errors.BODIES

    def message_complete(self) -> None:
        """Tell the app that the request is complete."""
        if self._partial:
            self._partial = False
            self._read_due = NEVER
            self._await_next()
        if not self.cycle.response_complete:
            self.cycle.waiting_for_100_continue = False
            self.cycle.more_body = False
            self.cycle.message_event.set()
        if self.cycle is self._current:
            self.flow.resume_reading()  # a large body has paused it; a client that leaves is only noticed while reading

    def on_response_complete(self) -> None:
        """Read the next request, or wait for one."""
        self.server_state.total_requests += 1
        self._current = None
        if not self.flow.write_paused:
            self._write_due = NEVER
        if self._lingers or self.transport.is_closing():
            return
        if self._half_closed_until is None:
            self.flow.resume_reading()
        if self.pending:
            self._read_on()
        if self._half_closed_until is not None:
            self._close_unless_asked()
        else:
            self._await_next()

    def _close_unless_asked(self) -> None:
        """Close a half-closed connection, unless its client has sent one more request that is complete."""
        if self.refusal is None and not self._resumes and (self._current is None or self.phase != BETWEEN):
            self._close()
        else:
            self._expect_answer()

    def _expect_answer(self) -> None:
        now = self.loop.time()
        self._half_closed_until = now + self.limits.settings.current.read_timeout
        self._read_due = now + HALF_CLOSED_CHECK

    def _check_half_closed(self, now: float, until: float) -> None:
        """End the connection if no answer begins in time, or if it is an event stream: nobody may be there any more."""
        cycle = self._current
        begun = cycle is not None and cycle.response_started
        if (cycle is not None and cycle.endless) or (now >= until and not begun):
            self._abort()
        else:
            self._read_due = now + HALF_CLOSED_CHECK

    def _await_next(self) -> None:
        if self._current is None and self.phase == BETWEEN:
            self._read_due = self.loop.time() + self.limits.settings.current.idle_timeout

    def _refuse(self, reason: Refusal) -> None:
        """Answer with this refusal, and read no more."""
        self.refusal = reason
        self._read_due = NEVER
        self.limits.refusals.note(reason.kind, self.client)
        if self.phase == BODY:
            self._refuse_body(reason)
            return
        self.expects_continue = False
        method = "HEAD" if self.method == b"HEAD" else "GET"
        self._begin(reason, {"type": "http", "method": method, "raw_path": b"", "headers": []}, keep_alive=False)

    def _refuse_body(self, reason: Refusal) -> None:
        if self._current is not None and not self._current.response_started:
            self._current.cut(reason)
        else:
            self._finish()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn never stays
        """Keep the connection open for an answer when the client has only closed its sending side."""
        incomplete = self.phase == BODY and self.refusal is None and not self._resumes
        if self._current is None or self._current.endless or incomplete or self._tls:
            return None
        self._expect_answer()
        return True

    def pause_writing(self) -> None:
        """Start the deadline for the client to take its answer."""
        super().pause_writing()
        if self._write_due == NEVER and not (self._current is not None and self._current.endless):
            self._write_due = self.loop.time() + self.limits.settings.current.write_timeout

    def resume_writing(self) -> None:
        """Continue to write; the deadline stays until the answer is complete."""
        super().resume_writing()
        if self._current is None:
            self._write_due = NEVER

    def overdue(self, now: float) -> None:
        """Act on the deadlines that have passed."""
        if self._write_due <= now:
            self.limits.refusals.note("slow-reader", self.client)
            self._abort()
        elif self._lingers:
            self._abort()
        elif self._close_notify_sent:
            self._part(now)
        elif self._half_closed_until is not None:
            self._check_half_closed(now, self._half_closed_until)
        elif self.phase == BODY:
            self._refuse(edge_errors.SLOW_BODY)
        else:
            if self.phase != BETWEEN or self._fresh:
                self.limits.refusals.note("silent" if self.phase == BETWEEN else "slow-head", self.client)
            self._close()

    def _finish(self) -> None:
        """End the connection after an answer; what the client still sends is discarded for a moment (see LINGER)."""
        if self._lingers or self.transport.is_closing():
            return
        sends = self.refusal is not None or self.phase != BETWEEN
        if not sends or self._half_closed_until is not None or not self.transport.can_write_eof():
            self._close()
            return
        self._lingers = True
        self.transport.write_eof()
        self.flow.resume_reading()
        self._read_due = self.loop.time() + LINGER

    def _close(self) -> None:
        """Close once all is sent, or at the write deadline."""
        self.transport.close()
        self._read_due = NEVER
        if self.transport.get_write_buffer_size() or self._tls:
            self._write_due = min(self._write_due, self.loop.time() + self.limits.settings.current.write_timeout)
        if self._tls:
            self._close_notify_sent = True
            self._read_due = self.loop.time() + LINGER

    def _part(self, now: float) -> None:
        """Close for good once all is sent: the client has not answered the end of TLS."""
        if all_sent(self.transport):
            self._abort()
        else:
            self._read_due = now + LINGER

    def shutdown(self) -> None:
        """End after the request that is worked on, or has arrived: the service stops. uvicorn calls this as well."""
        if self._current is not None:
            self._current.keep_alive = False
        elif self._idle and not has_unread(self.transport):
            self._close()

    @property
    def _idle(self) -> bool:
        return self.phase == BETWEEN and not self.pending and not self.transport.is_closing()

    def break_off(self) -> None:
        """End at once: the service stops, and waits for nothing."""
        self._abort()

    def _abort(self) -> None:
        self._read_due = self._write_due = NEVER
        cut_off(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the work for a client that has left."""
        super().connection_lost(exc)
        self.drop()
        self._read_due = self._write_due = NEVER
        if self._current is not None and not self._current.response_complete:
            self._current.cut()
        self._current = None
        del self.cycle, self._outlet, self._extensions  # breaks cycles, which would keep request data in memory
