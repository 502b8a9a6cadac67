"""Large bodies are worked on one at a time.

As Python values a body takes up to twenty-five times its bytes, and seconds of the interpreter (see
``spec/decisions/0021-large-bodies-one-at-a-time.md``). Side by side they would fill the memory and leave nobody time.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Gives one request after the other its turn, in the order of arrival."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and have it.

        Meanwhile Python's collector is off. It would look through millions of new values again and again, and nobody
        else gets to run while it does.
        """
        async with self._lock:
            collects = gc.isenabled()
            gc.disable()
            try:
                yield
            finally:
                if collects:
                    gc.enable()
