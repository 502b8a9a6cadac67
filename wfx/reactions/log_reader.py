"""Reader of the log: goes on from a place, and waits at the end for what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from wfx.domain.errors import StoreUnavailable
from wfx.domain.job import Event
from wfx.store.protocol import LogFollower, Store

_EVENTS = 256
_BYTES = 4 * 1024 * 1024


class LogReader:
    """Yields each event once, in order. Make it before you ask where to begin, so that nothing is missed between."""

    def __init__(self, store: Store) -> None:
        """Listen to this store."""
        self._store = store
        self._follower = store.follow_log()
        self._next: asyncio.Task[Sequence[Event] | None] | None = None
        self._is_behind = True
        self.position = 0
        """The newest event that was returned."""

    async def read(self, patience: float) -> Sequence[Event]:
        """Return the next events; none if none come within so many seconds.

        Raises what the store's ``read_log`` raises, and StoreUnavailable if the log has ended, as it does when another
        one takes its place.
        """
        if self._is_behind:
            events = await self._store.read_log(self.position, _EVENTS, _BYTES)
            self._is_behind = bool(events)
        else:
            events = await self._heard(patience)
        if events:
            self.position = events[-1].seq
        return events

    @property
    def behind(self) -> int:
        """How many events there are behind the newest one that was returned."""
        return max(self._follower.head - self.position, 0)

    async def close(self) -> None:
        """Stop to listen."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._follower.aclose()

    async def _heard(self, patience: float) -> Sequence[Event]:
        """Return what has come, or comes; nothing, and read the log next time, if there is something between."""
        heard: list[Event] = []
        if self._next is not None or not self._follower.is_ready:
            heard += await self._first(patience)
        while self._follower.is_ready and len(heard) < _EVENTS:
            heard += await anext(self._follower)
        fresh = [event for event in heard if event.seq > self.position]
        if fresh and fresh[0].seq != self.position + 1:
            self._is_behind = True
            return ()
        return fresh

    async def _first(self, patience: float) -> Sequence[Event]:
        """Wait for the next events."""
        if self._next is None:
            self._next = asyncio.ensure_future(_following(self._follower))
        done, _ = await asyncio.wait({self._next}, timeout=patience)
        if not done:
            return ()
        heard, self._next = self._next.result(), None
        if heard is None:
            raise StoreUnavailable("the log of events has ended")
        return heard


async def _following(follower: LogFollower) -> Sequence[Event] | None:
    """Return the next events of a follower; None if there will be none."""
    try:
        return await anext(follower)
    except StopAsyncIteration:
        return None
