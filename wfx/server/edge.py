"""The edge of one listener: what it puts up with, how much of that there is, and the rounds by which it is kept."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from wfx.server.head import HEAD_SLACK
from wfx.server.refusal import Refusals
from wfx.server.settings import HttpSettings

MAX_STREAMS = 100
"""Requests that one HTTP/2 connection may have running; over HTTP/1.1 it is one, further ones wait."""
LINGER = 1.0
"""Seconds a connection is still read from after an answer that ends it early. Closed at once, the peer's system would
throw the answer away unread, because more data arrived (RFC 9112 section 9.6)."""
NEVER = math.inf
_BODIES = 256 * 1024 * 1024
"""Bytes of request bodies that may be in memory at once."""
_RESET = struct.pack("ii", 1, 0)
_ROUNDS = 10
"""Rounds in the shortest of the deadlines; so much later than promised, at most, a connection is ended."""


class Edge:
    """Limits of one listener and what counts against them."""

    def __init__(self, settings: HttpSettings) -> None:
        """Begin with nothing going on."""
        self.settings = settings
        self.max_head = settings.max_head + HEAD_SLACK
        self.refusals = Refusals()
        self.running = 0
        """Requests being worked on. Event streams do not count: they wait, and connections are limited."""
        self.held = 0
        """Bytes of request bodies in memory."""
        self._held_by: Counter[str] = Counter()
        self._most_held = max(_BODIES, 2 * settings.max_body)

    @property
    def busy(self) -> bool:
        """Whether no further request may be worked on."""
        return self.running >= self.settings.max_requests

    def hold(self, client: str, size: int) -> None:
        """Count so many more bytes of a body from a client's address."""
        self.held += size
        self._held_by[client] += size

    def let_go(self, client: str, size: int) -> None:
        """Count them no more."""
        self.held -= size
        self._held_by[client] -= size
        if not self._held_by[client]:
            del self._held_by[client]

    def heavy(self, client: str) -> bool:
        """Tell whether a client's bodies are too many: it may have as much as it leaves to others.

        So one client alone gets half of the memory, two get a third each, and whoever comes finds room.
        """
        return self._held_by[client] > self._most_held - self.held


def cut_off(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once. What its client has not taken is forgotten; the system would keep offering it."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


class Timed(Protocol):
    """A connection with deadlines, in the event loop's time."""

    @property
    def due(self) -> float:
        """When somebody has to look after it."""

    def overdue(self, now: float) -> None:
        """Do what is to be done then."""


async def rounds(edge: Edge, connections: Collection[Timed]) -> None:
    """Look after a listener's connections again and again; runs until it is cancelled.

    One task that looks at everybody is cheaper than a timer set and cancelled for each request.
    """
    settings = edge.settings
    shortest = min(settings.read_timeout, settings.idle_timeout, settings.write_timeout, 10 * LINGER)
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(shortest / _ROUNDS)
        now = loop.time()
        for connection in [each for each in connections if each.due <= now]:
            connection.overdue(now)
        edge.refusals.tell_rest()
