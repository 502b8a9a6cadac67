"""The server's end of one of a plugin's pipes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class PipeEnd(asyncio.Protocol):
    """Hands on what comes, and tells when there will be no more."""

    def __init__(self, on_data: Callable[[bytes], None] | None, on_lost: Callable[[], None]) -> None:
        """Call ``on_data`` with bytes as they come (never for an end that is written to), ``on_lost`` at the end."""
        self._on_data = on_data
        self._on_lost = on_lost
        self.gone = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Hand on bytes (called by the event loop)."""
        if self._on_data:
            self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell of the end (called by the event loop)."""
        self.gone.set()
        self._on_lost()
