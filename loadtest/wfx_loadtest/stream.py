"""A subscriber of the event stream: server-sent events over a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpResponseParser

from wfx_loadtest.session import REQUEST_TIMEOUT, Side
from wfx_loadtest.wire import NotAnswered, NotReachable, Overdue

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes that an event may have."""
_HEADERS = "User-Agent: wfx-loadtest\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"


class Stream(asyncio.Protocol):
    """Hands the data of each event to its owner as soon as it has arrived."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        """Call ``received(data)`` for each event; streams are made by :func:`subscribe`."""
        self.lost = False
        """Whether the server, or the network, ended the stream."""
        self._received = received
        self._parser = HttpResponseParser(self)
        self._rest = b""
        self._closing = False
        self._transport: asyncio.Transport | None = None
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the event loop)."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def send(self, head: bytes) -> None:
        """Send the one request of this connection."""
        assert self._transport is not None, "connected"
        self._transport.write(head)

    def close(self) -> None:
        """Leave the stream."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is still waited for (called by the event loop)."""
        del exc  # a stream that ends on its own is lost, whatever the cause
        self.lost = not self._closing
        if not self.status.done():
            self.status.set_exception(NotAnswered("connection closed before the stream began"))

    def data_received(self, data: bytes) -> None:
        """Parse what came (called by the event loop)."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            assert self._transport is not None, "connected"
            self._transport.abort()

    def on_headers_complete(self) -> None:
        """Tell the status (called by the parser)."""
        if not self.status.done():
            self.status.set_result(self._parser.get_status_code())

    def on_body(self, data: bytes) -> None:
        """Cut the stream into blocks, each ended by an empty line (called by the parser)."""
        *blocks, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
        for block in blocks:
            content = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
            if content:
                self._received(b"\n".join(content))
        if len(self._rest) > LARGEST_EVENT and self._transport is not None:
            self._rest = b""
            self._transport.abort()


async def subscribe(side: Side, query: str, received: Callable[[bytes], None]) -> Stream:
    """Open an event stream; it is live when this returns. Raises NotReachable, NotAnswered, Overdue."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT):
            stream = await side.address.open(lambda: Stream(received))
            stream.send(side.request("GET", f"/jobs/events?{query}", headers=_HEADERS).head)
            status = await stream.status
    except TimeoutError as exc:
        raise Overdue(f"no event stream within {REQUEST_TIMEOUT:g}s") from exc
    except OSError as exc:
        raise NotReachable(f"{side.address.place}: {exc.strerror or exc}") from exc
    if status != 200:
        stream.close()
        raise NotAnswered(f"no event stream: status {status}")
    return stream
