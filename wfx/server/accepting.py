"""Acceptance of connections on a listening socket, with TLS handshakes that are counted and have a deadline.

asyncio's servers tell of a connection once its handshake is over, so that unfinished ones would have no limit.
Listeners with TLS therefore accept by themselves, and pass a connection on when its first bytes are there.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import Protocol

from wfx.server.limits import BACKLOG, LINGER, ListenerLimits
from wfx.server.tls import Tls
from wfx.server.tls_alerts import Handshake, current_handshake

log = logging.getLogger("wfx.edge")

_ACCEPTS_PER_TURN = 64
"""Connections that are accepted before others are served."""
_PAUSE = 1.0
"""Seconds without accepting, when the system does not give another descriptor."""
_LONGEST = 86400.0
"""Seconds that stand for no limit, where asyncio wants a number."""
_HANDSHAKE = b"\x16"
"""The first byte of a handshake (RFC 8446 section 5.1)."""
_NOT_TLS = (
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"this port speaks HTTPS; the request came without TLS\n"
)

MakeProtocol = Callable[[], asyncio.Protocol]


class Acceptor(Protocol):
    """What accepts connections, as asyncio's servers do."""

    def close(self) -> None:
        """Accept no more."""

    async def wait_closed(self) -> None:
        """Wait until that has happened."""


async def accept(
    listening: socket.socket, tls: Tls | None, make: MakeProtocol, limits: ListenerLimits, connections: Sized
) -> Acceptor:
    """Accept connections, each with a protocol that ``make`` makes; ``connections`` are those that are open."""
    loop = asyncio.get_running_loop()
    if tls is not None:
        return _TlsServer(listening, tls, make, limits, connections)
    if listening.family == socket.AF_UNIX:
        return await loop.create_unix_server(make, sock=listening, backlog=BACKLOG)
    return await loop.create_server(make, sock=listening, backlog=BACKLOG)


class _TlsServer:
    """Accepts connections, and has them begin with a TLS handshake."""

    def __init__(
        self, listening: socket.socket, tls: Tls, make: MakeProtocol, limits: ListenerLimits, connections: Sized
    ) -> None:
        """Begin at once."""
        self._listening = listening
        self._tls = tls
        self._make = make
        self._limits = limits
        self._connections = connections
        self._handshakes: dict[asyncio.Task[None], socket.socket] = {}
        """Connections whose handshake is not over."""
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False
        self._resume()

    def close(self) -> None:
        """Accept no more; connections that are in their handshake end."""
        if self._closed:
            return
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for connection in self._handshakes.values():
            _end(connection)

    async def wait_closed(self) -> None:
        """Wait for the ends of handshakes."""
        if self._handshakes:
            await asyncio.wait(list(self._handshakes))

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                connection, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                log.warning("cannot accept connections for a moment: %s", exc.strerror)
                self._loop.remove_reader(self._listening)
                self._pause = self._loop.call_later(_PAUSE, self._resume)
                return
            if len(self._handshakes) + len(self._connections) >= self._limits.max_connections:
                self._limits.refusals.note("connections", peer)
                connection.close()
                continue
            connection.setblocking(False)
            task = self._loop.create_task(self._begin(connection, peer))
            self._handshakes[task] = connection
            task.add_done_callback(self._handshakes.pop)

    async def _begin(self, connection: socket.socket, peer: object) -> None:
        due = self._loop.time() + min(self._limits.settings.current.read_timeout, _LONGEST)
        with Handshake(connection) as handshake:
            current_handshake.set(handshake)
            try:
                async with asyncio.timeout_at(due):
                    first = await self._first_byte(connection)
                if first == _HANDSHAKE:
                    await self._shake_hands(connection, due)
                    handshake.completed = True
                elif first:
                    self._limits.refusals.note("tls", peer, "the client does not speak TLS")
                    _answer_plainly(connection)
            except TimeoutError:
                self._limits.refusals.note("silent", peer)
            except ssl.SSLError as exc:
                self._limits.refusals.note("tls", peer, _reason(exc))
                await self._await_close(handshake.refused)
            except OSError as exc:
                reason = exc.strerror or "the handshake was broken off, or took too long"
                self._limits.refusals.note("tls", peer, reason)

    async def _first_byte(self, connection: socket.socket) -> bytes:
        """Wait for the first byte and leave it there; none if the client has left."""
        readable = asyncio.Event()
        self._loop.add_reader(connection, readable.set)
        try:
            await readable.wait()
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)

    async def _shake_hands(self, connection: socket.socket, due: float) -> None:
        settings = self._limits.settings.current
        await self._loop.connect_accepted_socket(
            self._make,
            connection,
            ssl=self._tls.context,
            ssl_handshake_timeout=max(0.001, due - self._loop.time()),
            ssl_shutdown_timeout=min(settings.write_timeout, _LONGEST),
        )

    async def _await_close(self, refused: socket.socket | None) -> None:
        """Wait for the client to close, once it was told by an alert; for a moment only."""
        if refused is None:
            return
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(LINGER):
                while await self._loop.sock_recv(refused, 65536):
                    pass


def _answer_plainly(connection: socket.socket) -> None:
    """Answer a request that came without TLS. What has arrived of it is read: closing would else destroy the answer."""
    with suppress(OSError):
        connection.recv(65536)
        connection.send(_NOT_TLS)
        connection.shutdown(socket.SHUT_WR)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _reason(exc: ssl.SSLError) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the client's certificate is not accepted: {exc.verify_message}"
    return (exc.reason or "broken off").lower().replace("_", " ")
