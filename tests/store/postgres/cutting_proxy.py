"""Proxy before PostgreSQL that cuts a connection at a chosen request, or swallows all that is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress


class CuttingProxy:
    """Passes everything on, until a request has certain bytes."""

    def __init__(self, port: int) -> None:
        """Stand before the server on this port of the machine."""
        self._port = port
        self._wanted = b""
        self._lets_through = True
        self._swallows = False
        self.cuts = 0
        """How many connections were cut."""

    def cut_at(self, wanted: bytes, *, lets_through: bool) -> None:
        """Cut the next connection whose request has these bytes; the server gets it or not, and nobody its answer."""
        self._wanted, self._lets_through = wanted, lets_through

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """Take what either side says, and pass nothing on."""
        self._swallows = True
        try:
            yield
        finally:
            self._swallows = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Yield the port to connect to."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # either side may go away at any time
            await self._pass_on_until_cut(reader, writer)

    async def _pass_on_until_cut(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._pass_back(there, writer))
        try:
            while data := await reader.read(1 << 20):
                if self._swallows:
                    continue
                if self._wanted and self._wanted in data:
                    self._wanted = b""
                    self.cuts += 1
                    answers.cancel()
                    if self._lets_through:
                        back.write(data)
                        await back.drain()
                    writer.close()
                    if self._lets_through:
                        await there.read()  # the server goes on, and does not learn that nobody is there
                    return
                back.write(data)
                await back.drain()
        finally:
            answers.cancel()
            for each in (writer, back):
                with suppress(OSError):
                    each.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                if not self._swallows:
                    writer.write(data)
                    await writer.drain()
        writer.close()
