"""Connections, requests and frames by the hundred, from clients that read nothing and leave."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import cycle

import h2.config
import h2.connection
from rawhttp import request

from tests.attack.frame import BASE, Kind, Target
from tests.server.http2 import PREFACE, frame

CONNECTIONS, REQUESTS, STREAMS, FRAMES = 200, 400, 90, 2000
_SETTINGS, _PING = 4, 6
_RESET = struct.pack("ii", 1, 0)
"""Closing resets the connection."""


async def attack(target: Target) -> Counter[str]:
    """Run the floods in turn; each lasts until all is sent or the service has had enough of it."""
    tally = Counter[str]()
    floods: list[Callable[[int, Counter[str]], Awaitable[None]]] = [_connections, _pipelines, _resets, _frames]
    for number, flood in enumerate(cycle(floods)):
        with suppress(ConnectionError):
            await flood(target.ports[number // len(floods) % 2], tally)
        if number >= 2 * len(floods) - 1 and not target.goes_on():
            return tally
    raise AssertionError("unreachable: the floods come again and again")


async def _connections(port: int, tally: Counter[str]) -> None:
    """Begin many requests at once, end none, and reset the connections."""
    head = b"POST / HTTP/1.1\r\nHost: h\r\n"
    parts = cycle((b"", b"G", head + b"X-", head + b"Content-Length: 9\r\n\r\n{"))
    opened = await asyncio.gather(*(_open(port, part) for part, _ in zip(parts, range(CONNECTIONS), strict=False)))
    for writer in opened:
        _reset(writer)
    tally["connections"] += len(opened)


async def _pipelines(port: int, tally: Counter[str]) -> None:
    """Send many requests at once, read nothing, and leave."""
    burst = b"".join(request("GET", f"{BASE}/jobs?limit={number % 100}") for number in range(REQUESTS))
    opened = await asyncio.gather(*(_open(port, burst) for _ in range(4)))
    for number, writer in enumerate(opened):
        if number % 2:
            _reset(writer)
        writer.close()
    tally["requests without a reader"] += REQUESTS * len(opened)


async def _resets(port: int, tally: Counter[str]) -> None:
    """Ask for streams over HTTP/2 and reset each at once."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", f"{BASE}/jobs")]
    for _ in range(STREAMS):
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, fields, end_stream=True)
        connection.reset_stream(stream)
    writer = await _open(port, connection.data_to_send())
    tally["streams reset"] += STREAMS
    writer.close()


async def _frames(port: int, tally: Counter[str]) -> None:
    """Send frames that only make work."""
    pings = frame(_PING, 0, 0, b"12345678") + frame(_SETTINGS, 0, 0)
    writer = await _open(port, PREFACE + frame(_SETTINGS, 0, 0) + pings * FRAMES)
    tally["frames"] += 2 * FRAMES
    writer.close()


async def _open(port: int, data: bytes) -> asyncio.StreamWriter:
    """Connect and send; the service may have closed before all is sent."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
    return writer


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


KIND = Kind(attack)
