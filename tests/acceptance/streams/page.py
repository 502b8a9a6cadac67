"""A small page that follows events in a browser, on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PAGE = b"""<!doctype html><title>events</title><link rel="icon" href="data:,">
<script>
const ids = [], data = [], source = new EventSource(location.hash.slice(1))
source.onmessage = event => { ids.push(event.lastEventId); data.push(JSON.parse(event.data)) }
</script>
"""


@asynccontextmanager
async def serving_page() -> AsyncIterator[str]:
    """Serve the page; gives its address, to which the address of the stream is added as a fragment."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        writer.write(head + _PAGE)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
