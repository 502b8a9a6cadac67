"""Relays that offer a plain service over TLS and on unix sockets, as a proxy in front of it does."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEADLINE = 60.0


@contextmanager
def relay(port: int, *, tls: ssl.SSLContext | None = None, path: Path | None = None) -> Iterator[int]:
    """Forward connections to a port of this machine, from a free port (which it gives) or from a unix socket."""
    told: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()

    async def serve() -> None:
        if path is None:
            server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=tls)
            found = server.sockets[0].getsockname()[1]
        else:
            server = await asyncio.start_unix_server(forward, path, ssl=tls)
            found = 0
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        told.put((found, lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        server.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            further_reader, further_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(copy(reader, further_writer), copy(further_reader, writer))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    found, stop = told.get(timeout=DEADLINE)
    try:
        yield found
    finally:
        stop()
        thread.join(DEADLINE)
