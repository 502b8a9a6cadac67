"""The memory that large answers share, and how it is divided among them.

A small answer takes no part in it and never waits. A large one holds room for what is read of it and not taken by its
client yet. Where there is none left, others wait, and clients that take nothing for a while are cut off
(``spec/decisions/0024-answers-in-pieces.md``).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable

SMALL = 64 * 1024
"""Bytes of an answer that needs no room."""
PIECE = 512 * 1024
"""Bytes of an answer that are read at once; a single item may have more."""
_LIMIT = 128 * 1024 * 1024
_STALL = 5.0
"""Seconds without a byte taken after which a client is cut off, if others wait for room."""
_PATIENCE = 7.0
"""Seconds that an answer waits for room before it begins."""
_MOST_WAITING = 256

_logger = logging.getLogger(__name__)


class TooManyAnswers(Exception):
    """There is no room for a large answer now."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("too many large answers at once; try again later, or ask for less")


class Share:
    """What one answer holds."""

    def __init__(self, memory: AnswerMemory, cut: Callable[[], None]) -> None:
        """Hold nothing yet; ``cut`` ends the connection at once."""
        self.held = 0
        self.kept = 0
        """Bytes of earlier pieces that are kept too; added to what is asked for."""
        self.cut = cut
        self.sending_since: float | None = None
        self._memory = memory

    def try_hold(self, size: int) -> bool:
        """Hold so many bytes, more or fewer than before, if there is room at once."""
        return self._memory.resize(self, size + self.kept)

    async def hold(self, size: int, *, begun: bool = False, must: bool = False) -> None:
        """Hold so many bytes, more or fewer than before; what was held before is let go where that takes waiting.

        Raises TooManyAnswers if there is no room in time; what ``must`` be held is held then all the same. An answer
        that has ``begun`` waits for as long as it takes: others are cut off or come to their ends.
        """
        if not self.try_hold(size):
            self.release()
            await self._memory.wait(self, size + self.kept, begun=begun, must=must)

    def release(self) -> None:
        """Hold nothing any more."""
        self._memory.resize(self, 0)


class AnswerMemory:
    """Counts what all shares hold, and gives room in the order in which it was asked for. Belongs to one event loop."""

    def __init__(self, limit: int = _LIMIT, stall: float = _STALL, patience: float = _PATIENCE) -> None:
        """Give at most ``limit`` bytes; more only to an answer that is alone."""
        self.held = 0
        self._limit = limit
        self._stall = stall
        self._patience = patience
        self._shares: dict[Share, None] = {}
        self._waiting: deque[tuple[Share, int, asyncio.Future[None]]] = deque()

    def resize(self, share: Share, size: int) -> bool:
        """Let a share hold so many bytes, if nobody waits for the room and there is enough."""
        more = size - share.held
        if more > 0 and (self._waiting or not self._has_room(more)):
            return False
        self._set(share, size)
        if more < 0:
            self._serve()
        return True

    async def wait(self, share: Share, size: int, *, begun: bool, must: bool) -> None:
        """Wait until the share, which holds nothing, can hold so many bytes; see :meth:`Share.hold`."""
        if len(self._waiting) >= _MOST_WAITING and not must and not begun:
            raise TooManyAnswers
        loop = asyncio.get_running_loop()
        entry = (share, size, loop.create_future())
        self._waiting.append(entry)
        end = math.inf if begun else loop.time() + self._patience
        try:
            while not entry[2].done() and loop.time() < end:
                await asyncio.wait([entry[2]], timeout=min(self._stall / 5, end - loop.time()))
                self._cut_stalled(loop.time())
        finally:
            if not entry[2].done():
                self._waiting.remove(entry)
                self._serve()
        if not entry[2].done():
            if not must:
                raise TooManyAnswers
            self._set(share, size)

    def _has_room(self, more: int) -> bool:
        return self.held + more <= self._limit or self.held == 0

    def _set(self, share: Share, size: int) -> None:
        self.held += size - share.held
        share.held = size
        if size:
            self._shares[share] = None
        else:
            self._shares.pop(share, None)

    def _serve(self) -> None:
        while self._waiting and self._has_room(self._waiting[0][1]):
            share, size, granted = self._waiting.popleft()
            if not granted.done():
                self._set(share, size)
                granted.set_result(None)

    def _cut_stalled(self, now: float) -> None:
        if not self._waiting:
            return
        for share in list(self._shares):
            if share.sending_since is not None and share.sending_since + self._stall <= now:
                share.sending_since = None
                _logger.warning("cut off a client that took nothing for %g s while others waited", self._stall)
                share.cut()
