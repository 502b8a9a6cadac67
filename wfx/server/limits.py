"""Limits of the process and of each listener: settings, counters, and the task that enforces deadlines."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

from wfx.config.tunables import Current
from wfx.request_context import Side
from wfx.server.edge_errors import Refusals
from wfx.server.proxies import TrustedProxies
from wfx.server.request_line import HEAD_SLACK


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How engines treat connections; times in seconds, sizes in bytes."""

    idle_timeout: float
    """An idle keep-alive connection is closed after this."""
    graceful_timeout: float
    """How long running requests may take to finish once the service stops."""
    read_timeout: float = 30.0
    """How long a request may take to arrive, header and body together."""
    write_timeout: float = 600.0
    """How long a peer may take to take an answer; event streams have a limit of their own."""
    max_head: int = 1_000_000
    """Size of a request's line and header."""
    keep_alive: bool = True
    """Whether HTTP/1.1 connections stay open for further requests."""
    max_connections: int = 10_000
    """Connections per listener."""
    max_requests: int = 10_000
    """Requests a listener works on at the same time."""
    max_body: int = 10 * 1024 * 1024
    """Size of a request's body."""
    proxies: TrustedProxies | None = None
    """Whose word is taken on where requests come from; None if nobody's."""


BACKLOG = 2048
"""Connections of a listener that wait to be accepted."""
MAX_STREAMS = 100
"""Requests that one HTTP/2 connection may have running; over HTTP/1.1 it is one, further ones wait."""
LINGER = 1.0
"""Seconds a connection is still read from after an answer or alert that ends it early. Closed at once, the peer's
system would throw the answer away unread, because more data arrived (RFC 9112 section 9.6)."""
HALF_CLOSED_CHECK = 1.0
"""Seconds between two looks at a connection whose client has closed its sending side."""
NEVER = math.inf
_BODIES = 256 * 1024 * 1024
"""Bytes of request bodies that may be in memory at once, those of all listeners together."""
_RESET = struct.pack("ii", 1, 0)
_CHECKS = 10
"""Checks within the shortest deadline: a connection ends at most a tenth of that too late."""


class BodyMemory:
    """Memory for the request bodies of all listeners, and each client's part of it."""

    def __init__(self, most: int) -> None:
        """Let ``most`` bytes be held."""
        self.held = 0
        """Bytes of request bodies in memory."""
        self._held_by: Counter[str] = Counter()
        self._most = most

    def hold(self, client: str, size: int) -> None:
        """Count ``size`` more bytes of a body from a client's address."""
        self.held += size
        self._held_by[client] += size

    def release(self, client: str, size: int) -> None:
        """Stop counting ``size`` bytes of a client."""
        self.held -= size
        self._held_by[client] -= size
        if not self._held_by[client]:
            del self._held_by[client]

    def exceeds_share(self, client: str) -> bool:
        """Tell whether a client's bodies take more memory than they leave to others.

        So one client alone gets half of the memory, two get a third each, and new clients find room.
        """
        return self._held_by[client] > self._most - self.held


class HttpLimits:
    """Limits of the whole process; makes those of each listener."""

    def __init__(self, settings: Current[HttpSettings]) -> None:
        """Read the settings at use; the sizes of header and body are those of the start."""
        self._settings = settings
        self.listeners: list[ListenerLimits] = []
        self.app_refusals = {side: Refusals() for side in Side}
        """Of requests that the app of a side refused before the API saw them: it does not know by which listener they
        came."""
        self.bodies = BodyMemory(max(_BODIES, 2 * settings.current.max_body))

    def add_listener(self, side: Side, most_connections: int = sys.maxsize, address: str = "") -> ListenerLimits:
        """Make the limits of one more listener; see :func:`wfx.server.descriptors.connections_possible`."""
        added = ListenerLimits(side, self._settings, self.bodies, self.app_refusals[side], most_connections, address)
        self.listeners.append(added)
        return added

    def note_refusal(self, side: Side, kind: str, scope: Scope) -> None:
        """Count a request that the app of a side refused, before the API saw it."""
        self.app_refusals[side].note(kind, scope.get("client"))


class ListenerLimits:
    """Limits of one listener and what counts against them."""

    def __init__(
        self,
        side: Side,
        settings: Current[HttpSettings],
        bodies: BodyMemory,
        app_refusals: Refusals,
        most_connections: int,
        address: str,
    ) -> None:
        """See :meth:`HttpLimits.add_listener`."""
        self.side = side
        self.address = address
        """Where it listens, for people."""
        self.bodies = bodies
        self.max_head = settings.current.max_head + HEAD_SLACK
        self.refusals = Refusals()
        self._app_refusals = app_refusals
        self.stopping = False
        """Whether the service stops: connections end with their next answer."""
        self.running = 0
        """Requests being worked on. Event streams do not count: they wait, and connections are limited."""
        self.settings = settings
        self._most_connections = most_connections

    def tell_refusals(self) -> None:
        """Log what was refused since the last record; to be called at intervals."""
        self.refusals.tell_rest()
        self._app_refusals.tell_rest()

    @property
    def busy(self) -> bool:
        """Whether no further request may be worked on."""
        return self.running >= self.settings.current.max_requests

    @property
    def max_connections(self) -> int:
        """How many connections may be open: as wanted, or fewer where descriptors would run out."""
        return min(self.settings.current.max_connections, self._most_connections)


def cut_off(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once. What its client has not taken is discarded, not sent any more."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


class Timed(Protocol):
    """A connection with deadlines, in the event loop's time."""

    @property
    def due(self) -> float:
        """When the next deadline passes."""

    def overdue(self, now: float) -> None:
        """Act on the deadlines that have passed."""


async def enforce_deadlines(limits: ListenerLimits, connections: Collection[Timed]) -> None:
    """Enforce the deadlines of a listener's connections, at intervals, until it is cancelled.

    One task that checks all connections is cheaper than a timer set and cancelled for each request.
    """
    loop = asyncio.get_running_loop()
    while True:
        settings = limits.settings.current
        shortest = min(settings.read_timeout, settings.idle_timeout, settings.write_timeout, 10 * LINGER)
        await asyncio.sleep(shortest / _CHECKS)
        now = loop.time()
        for connection in [each for each in connections if each.due <= now]:
            connection.overdue(now)
        limits.tell_refusals()
