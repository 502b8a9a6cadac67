"""Receiver of webhooks on a real socket, which answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from standardwebhooks import Webhook


@dataclass
class Received:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came, and what is answered: statuses one after the other, of which the last one stays."""

    statuses: list[int]
    port: int = 0
    location: str = ""
    """Where redirects lead."""
    filler: int = 0
    """Bytes of each body; negative for one without an end."""
    silent: bool = False
    """Never answer."""
    connections: int = 0
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """An address of it."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of all webhooks that came, in order."""
        return [request.headers["webhook-id"] for request in self.requests]

    def verify(self, secret: str) -> list[object]:
        """Return the documents of all requests, whose signatures must be right."""
        return [Webhook(secret).verify(request.body, request.headers) for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it."""
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in fields)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Received(line, headers, body))
            if self.silent:
                await reader.read()
                return
            status = self.statuses[min(len(self.requests), len(self.statuses)) - 1]
            location = f"Location: {self.location}\r\n" if self.location else ""
            size = "" if self.filler < 0 else f"Content-Length: {self.filler}\r\n"
            writer.write(f"HTTP/1.1 {status} X\r\n{location}{size}\r\n".encode() + b"x" * max(0, self.filler))
            while self.filler < 0:
                writer.write(b"x" * 65_536)
                await writer.drain()
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiver(
    statuses: Sequence[int] = (204,), change: Callable[[Receiver], None] = lambda _: None
) -> AsyncIterator[Receiver]:
    """Receive on a free port of loopback."""
    found = Receiver(list(statuses))
    change(found)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
