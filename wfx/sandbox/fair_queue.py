"""Fair queue: the client that was served least goes first, with its smallest item.

Work is measured by its cost, for instance in bytes. Costly work never takes the last of the places in which work runs,
so that other work never waits for it.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wfx.sandbox.errors import Unavailable


@dataclass(order=True, slots=True)
class _Waiting:
    """Work that waits for its turn; the least costly goes first, of equal ones the one that came first."""

    cost: int
    number: int
    turn: asyncio.Future[None] = field(compare=False)


@dataclass(slots=True)
class _Client:
    """A client that has work waiting or running."""

    served: int
    """Cost of the work that was started for it, counted from the least served client when it came."""
    waiting: list[_Waiting] = field(default_factory=list)
    """A heap."""
    running: int = 0
    """Cost of its running work, which is more than 0 while any runs."""


class FairQueue:
    """Gives out turns, some of them at once."""

    def __init__(self, at_once: int, costly: int) -> None:
        """Run ``at_once`` works at a time; of those that cost more than ``costly`` one less, but at least one."""
        self.at_once = at_once
        self._costly = costly
        self._costly_at_once = max(1, at_once - 1)
        self._clients: dict[str, _Client] = {}
        self._number = 0
        self._closed = False
        self.running = 0
        """How many run now."""
        self._running_costly = 0

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(len(client.waiting) for client in self._clients.values())

    @asynccontextmanager
    async def turn(self, client: str, cost: int, patience: float) -> AsyncIterator[None]:
        """Hold a turn, once it is given. Raises Unavailable after ``patience`` seconds, or when the queue is closed."""
        await self._wait(client, cost, patience)
        try:
            yield
        finally:
            self._end(client, cost)

    def close(self) -> None:
        """Give no more turns; those who wait get Unavailable."""
        self._closed = True
        for client in self._clients.values():
            for each in client.waiting:
                if not each.turn.done():
                    each.turn.set_exception(_stopping())

    async def _wait(self, name: str, cost: int, patience: float) -> None:
        if self._closed:
            raise _stopping()
        client = self._clients.get(name)
        if client is None:
            # A new client begins where the least served one was before its running work: it need not wait until it is
            # served as much as the others were, and does not go ahead of those who wait already.
            served = min((each.served - each.running for each in self._clients.values()), default=0)
            client = self._clients[name] = _Client(served)
        self._number += 1
        entry = _Waiting(cost, self._number, asyncio.get_running_loop().create_future())
        heapq.heappush(client.waiting, entry)
        self._give_turns()
        try:
            async with asyncio.timeout(patience):
                await entry.turn
        except TimeoutError as exc:
            self._leave(name, client, entry)
            raise Unavailable("others had their turn for too long") from exc
        except BaseException:
            self._leave(name, client, entry)
            raise

    def _leave(self, name: str, client: _Client, entry: _Waiting) -> None:
        """Stop waiting; a turn that was given at the same moment goes to the next client."""
        if entry in client.waiting:
            client.waiting.remove(entry)
            heapq.heapify(client.waiting)
            self._forget(name, client)
        else:
            self._end(name, entry.cost)

    def _end(self, name: str, cost: int) -> None:
        client = self._clients[name]
        client.running -= cost
        self.running -= 1
        self._running_costly -= cost > self._costly
        self._forget(name, client)
        self._give_turns()

    def _forget(self, name: str, client: _Client) -> None:
        if not client.waiting and not client.running:
            del self._clients[name]

    def _give_turns(self) -> None:
        while self.running < self.at_once and (client := self._next()) is not None:
            entry = heapq.heappop(client.waiting)
            client.served += entry.cost
            client.running += entry.cost
            self.running += 1
            self._running_costly += entry.cost > self._costly
            if not entry.turn.done():  # else the waiting was just cancelled, and _leave passes the turn on
                entry.turn.set_result(None)

    def _next(self) -> _Client | None:
        """Return the client that goes next: the least served one, its next work included."""
        most = self._costly if self._running_costly >= self._costly_at_once else math.inf
        able = (each for each in self._clients.values() if each.waiting and each.waiting[0].cost <= most)
        return min(able, key=_rank, default=None)


def _rank(client: _Client) -> tuple[int, int]:
    return client.served + client.waiting[0].cost, client.waiting[0].number


def _stopping() -> Unavailable:
    return Unavailable("the service is stopping")
