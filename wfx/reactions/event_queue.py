"""Bounded queue of events from outside: what waits, what is worked on, and how much of both there may be."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from wfx.domain.errors import EventQueueFull, StoreUnavailable
from wfx.rules.graph import Engine

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of all events in the queue."""
_CROWDED = 0.8


class Sized(Protocol):
    """An event in the queue."""

    @property
    def size(self) -> int:
        """Bytes that it has."""


Item = TypeVar("Item", bound=Sized)


class EventQueue(Generic[Item]):
    """Hands events on in the order in which they came, several at once; what is worked on is in the queue, too.

    The numbers of the engine hold as they are when they are looked at. Close it in the end; it is of one event loop.
    """

    def __init__(self, work: Callable[[Item], Awaitable[None]], engine: Callable[[], Engine]) -> None:
        """Have ``work``, which raises nothing, done for each event."""
        self._work = work
        self._engine = engine
        self._waiting: OrderedDict[int, Item] = OrderedDict()
        """By identity, so that any of them can be withdrawn at once."""
        self._workers: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._bytes = 0
        self._closing = False

    def __len__(self) -> int:
        """Count the events that wait or are worked on."""
        return len(self._waiting) + self._busy

    @property
    def capacity(self) -> int:
        """How many there may be."""
        return self._engine().queue_depth

    @property
    def is_crowded(self) -> bool:
        """Whether more than four of five places are taken."""
        return len(self) > _CROWDED * self.capacity

    def put(self, item: Item) -> None:
        """Add an event. Raises EventQueueFull, and StoreUnavailable after the end."""
        if self._closing:
            raise StoreUnavailable("the service is stopping")
        if len(self) >= self.capacity:
            raise EventQueueFull(f"capacity {self.capacity}")
        if self._bytes + item.size > MOST_BYTES:
            raise EventQueueFull(f"its events have {self._bytes:,} bytes")
        self._bytes += item.size
        self._waiting[id(item)] = item
        if len(self._workers) < self._engine().event_workers:
            worker = asyncio.get_running_loop().create_task(self._serve())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def withdraw(self, item: Item) -> bool:
        """Take an event out that still waits; tell whether it did."""
        if self._waiting.pop(id(item), None) is None:
            return False
        self._bytes -= item.size
        return True

    async def close(self, patience: float) -> int:
        """Take no more events, and wait for those that there are for so many seconds; return how many are left."""
        self._closing = True
        if self._workers:
            await asyncio.wait([*self._workers], timeout=patience)
        left = len(self)
        for worker in [*self._workers]:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
        return left

    async def _serve(self) -> None:
        """Work on events as long as there are any, and no more are worked on than may be."""
        while self._waiting and self._busy < self._engine().event_workers:
            _, item = self._waiting.popitem(last=False)
            self._busy += 1
            try:
                await self._work(item)
            finally:
                self._busy -= 1
                self._bytes -= item.size
