"""A client that follows the log of events over real sockets and comes back where it was cut off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpResponseParser

PATH = "/api/wfx/v1/jobs/events"
_AGAIN_SECONDS = 0.05


class Refused(Exception):
    """The server answered with something else than a stream; the argument is the status."""


class Follower:
    """Follows from a position on, and keeps each event with its id, as bytes.

    It knows no more of the stream than a browser does: blocks end with an empty line, what is not ended does not count,
    the last id is sent when it comes back.
    """

    def __init__(
        self,
        port: Callable[[], int],
        query: str = "since=now",
        *,
        receive_buffer: int = 0,
        resume_by_query: bool = False,
        keep: bool = True,
    ) -> None:
        """Follow the server at the port it has when a connection is made; ``receive_buffer`` is in bytes.

        It resumes with the header Last-Event-ID, or with ``since`` where ``resume_by_query``. With ``keep`` the data of
        the events are kept, otherwise only their ids.
        """
        self.events: list[tuple[bytes, bytes]] = []
        """Ids and data, as they came."""
        self.last_id = b""
        self.connections = 0
        self._port, self._query, self._receive_buffer = port, query, receive_buffer
        self._resume_by_query, self._keep = resume_by_query, keep
        self._connection: _Connection | None = None
        self._changed = asyncio.Event()
        self._rest = bytearray()
        self._task = asyncio.create_task(self._follow())

    @property
    def numbers(self) -> list[int]:
        """The sequence numbers in the ids of the events."""
        return [int(ident.rpartition(b"-")[2]) for ident, _ in self.events]

    async def has(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until the condition holds, looking whenever something arrived. Raises Refused."""
        async with asyncio.timeout(seconds):
            while not condition():
                if self._task.done():
                    self._task.result()
                self._changed.clear()
                await self._changed.wait()

    async def has_events(self, count: int, seconds: float = 60) -> None:
        """Wait until there are so many events."""
        await self.has(lambda: len(self.events) >= count, seconds)

    async def begins(self) -> None:
        """Wait until the stream is open and has told where it begins."""
        await self.has(lambda: bool(self.last_id))

    def pause(self) -> None:
        """Stop reading."""
        assert self._connection is not None
        self._connection.transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        assert self._connection is not None
        self._connection.transport.resume_reading()

    def cut(self) -> None:
        """Lose the connection; the follower comes back by itself."""
        if self._connection is not None:
            self._connection.transport.abort()

    async def leave(self) -> None:
        """Go away."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            while True:
                try:
                    await self._once()
                except OSError:
                    await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            self._changed.set()

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        own = socket.socket()
        if self._receive_buffer:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        own.setblocking(False)
        try:
            await loop.sock_connect(own, ("127.0.0.1", self._port()))
        except BaseException:
            own.close()
            raise
        _, connection = await loop.create_connection(lambda: _Connection(self._feed), sock=own)
        self._connection, self._rest = connection, bytearray()
        try:
            connection.transport.write(self._request())
            await connection.gone
        finally:
            connection.transport.abort()
            self.connections += 1
        if connection.status not in (0, 200):
            raise Refused(connection.status)

    def _request(self) -> bytes:
        query, header = self._query, ""
        if self.last_id and self._resume_by_query:
            query = "&".join(
                [
                    *(part for part in query.split("&") if not part.startswith("since=")),
                    f"since={self.last_id.decode()}",
                ]
            )
        elif self.last_id:
            header = f"Last-Event-ID: {self.last_id.decode()}\r\n"
        return f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n".encode()

    def _feed(self, data: bytes) -> None:
        known = max(0, len(self._rest) - 1)
        self._rest += data
        if self._rest.find(b"\n\n", known) < 0:
            return
        *blocks, rest = bytes(self._rest).split(b"\n\n")
        self._rest = bytearray(rest)
        for block in blocks:
            before, mark, ident = block.rpartition(b"id: ")
            if mark:
                self.last_id = ident
            if before:
                self.events.append((ident, before if self._keep else b""))
        self._changed.set()


class _Connection(asyncio.Protocol):
    """One connection of a follower."""

    transport: asyncio.Transport

    def __init__(self, received: Callable[[bytes], None]) -> None:
        self.status = 0
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = received
        self._parser = HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end()

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        if self.status == 200:
            self._received(data)

    def on_message_complete(self) -> None:
        self._end()

    def _end(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
