"""Memory limit that all large answers share, and how it is divided among them.

Small answers need none of it and never wait. A large one holds room for what was read from the store and not yet taken
by its client. When no room is left, other answers wait, and clients that take nothing for a while are disconnected
(``spec/decisions/0024-answers-in-pieces.md``).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable

from wfx.request_context import LOG_FIELD, current

SMALL = 64 * 1024
"""Bytes of the largest answer that needs no room."""
PIECE = 512 * 1024
"""Bytes of an answer that are read from the store at once; a single item may have more."""
_LIMIT = 128 * 1024 * 1024
_STALL = 5.0
"""Seconds after which a client that takes nothing is disconnected, if others wait for room."""
_PATIENCE = 7.0
"""Seconds that an answer waits for room before it begins."""
_MOST_WAITING = 256

_logger = logging.getLogger(__name__)


class TooManyAnswers(Exception):
    """There is no room for a large answer now."""

    def __init__(self) -> None:
        """Say what the client can do."""
        super().__init__("too many large answers at once; try again later, or ask for less")


class Share:
    """The room that one answer holds."""

    def __init__(self, memory: AnswerMemory, cut: Callable[[], None]) -> None:
        """Hold no room yet; ``cut`` closes the connection at once."""
        self.held = 0
        self.kept = 0
        """Bytes of earlier pieces that stay in memory too; added to each request for room."""
        self.cut = cut
        self.sending_since: float | None = None
        """When the piece that is being sent was given to the server; None while none is."""
        self.context = current()
        """The context of the request that is answered."""
        self._memory = memory

    def try_hold(self, size: int) -> bool:
        """Hold ``size`` bytes, more or fewer than before, if there is room at once."""
        return self._memory.resize(self, size + self.kept)

    async def hold(self, size: int, *, begun: bool = False) -> None:
        """Hold ``size`` bytes, more or fewer than before; if that takes waiting, all room is released first.

        Raises TooManyAnswers if there is no room in time. An answer that has ``begun`` waits without a deadline: the
        others end or are disconnected.
        """
        if not self.try_hold(size):
            self.release()
            await self._memory.wait(self, size + self.kept, begun=begun)

    def take(self, size: int) -> None:
        """Hold ``size`` bytes even where that exceeds the limit: the answer to a change cannot be refused any more."""
        self._memory.assign(self, size)

    def release(self) -> None:
        """Hold no room any more."""
        self._memory.resize(self, 0)


class AnswerMemory:
    """Counts what all shares hold, and gives room in the order in which it was asked for. Belongs to one event loop."""

    def __init__(self, limit: int = _LIMIT, stall: float = _STALL, patience: float = _PATIENCE) -> None:
        """Give at most ``limit`` bytes; more only to an answer that is the only one."""
        self.held = 0
        self._limit = limit
        self._stall = stall
        self._patience = patience
        self._shares: dict[Share, None] = {}
        self._waiting: deque[tuple[Share, int, asyncio.Future[None]]] = deque()

    def resize(self, share: Share, size: int) -> bool:
        """Let a share hold ``size`` bytes, if there is room and no other share waits for it."""
        more = size - share.held
        if more > 0 and (self._waiting or not self._has_room(more)):
            return False
        self.assign(share, size)
        return True

    def assign(self, share: Share, size: int) -> None:
        """Let a share hold ``size`` bytes whether there is room or not."""
        more = size - share.held
        self.held += more
        share.held = size
        if size:
            self._shares[share] = None
        else:
            self._shares.pop(share, None)
        if more < 0:
            self._serve()

    async def wait(self, share: Share, size: int, *, begun: bool) -> None:
        """Wait until the share, which holds nothing, can hold ``size`` bytes; see :meth:`Share.hold`."""
        if len(self._waiting) >= _MOST_WAITING and not begun:
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
            raise TooManyAnswers

    def _has_room(self, more: int) -> bool:
        return self.held + more <= self._limit or self.held == 0

    def _serve(self) -> None:
        while self._waiting and self._has_room(self._waiting[0][1]):
            share, size, granted = self._waiting.popleft()
            if not granted.done():
                self.assign(share, size)
                granted.set_result(None)

    def _cut_stalled(self, now: float) -> None:
        if not self._waiting:
            return
        for share in list(self._shares):
            if share.sending_since is not None and share.sending_since + self._stall <= now:
                share.sending_since = None
                # The task that notices it works for one of the others.
                fields = {LOG_FIELD: share.context.request_id} if share.context is not None else {}
                _logger.warning(
                    "cut off a client that took nothing for %g s while others waited",
                    self._stall,
                    extra={"fields": fields},
                )
                share.cut()
