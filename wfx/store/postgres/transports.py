"""Transports of a connection that is being opened: closed at once if it does not come about.

The driver ends a refused connection over TLS with a farewell, and waits for the server's in the background, for half a
minute if the server is stuck: meanwhile each further attempt would take one more socket.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Transports:
    """The event loop as the driver sees it: remembers what it has connected."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop."""
        self._loop = loop
        self._opened: list[asyncio.BaseTransport] = []

    def __getattr__(self, name: str) -> Any:
        """Return what the loop itself has."""
        return getattr(self._loop, name)

    async def create_connection(self, *arguments: Any, **settings: Any) -> tuple[asyncio.BaseTransport, Any]:
        """Connect by TCP, perhaps with TLS; an earlier attempt, before another form of it, ends with that."""
        self.abort()
        transport, protocol = await self._loop.create_connection(*arguments, **settings)
        self._opened.append(transport)
        return transport, protocol

    def abort(self) -> None:
        """Close what has been connected, without a farewell."""
        for each in self._opened:
            each.abort()  # type: ignore[attr-defined]  # all transports of connections have it
        self._opened.clear()
