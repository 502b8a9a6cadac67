"""Fair queue of the filter workers: each client gets its share of them.

The request goes first whose client has used least recently and is expected to need least now. *Slow* clients, those
that had a long-running program in the last minutes, never have all workers. A program that turns out to be slow while
others wait and slow programs have all workers is stopped, and runs again at a slow client's turn: programs have no
effects. When too many wait, the client with the most waiting requests makes room for others.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address

from wfx.filtering.errors import FilterUnavailable

QUEUE = 64
"""How many programs may wait for a worker at a time."""

SLOW_SECONDS = 0.25
"""A program that runs longer makes its client slow; most need some milliseconds."""

SLOW_FOR_SECONDS = 300.0
"""How long a client stays slow."""

HALF_LIFE_SECONDS = 30.0
"""Time after which the use of a client counts half."""

REMEMBERED = 1024
"""How many clients are remembered; those with running or waiting programs are never forgotten."""

_REVIEW_SECONDS = 0.05

STOPPING = "The server is stopping"
BUSY = "Other response filters kept all workers busy; try again later"
_CROWDED = f"Already {QUEUE} response filters are waiting to be run; try again later"


@dataclass(slots=True, eq=False)
class _Client:
    used: float = 0.0
    """Seconds of work, decayed up to the time ``at``."""
    at: float = 0.0
    expected: float = 1.0
    """Seconds that its last program took; a high value before the first."""
    slow_until: float = 0.0
    running: int = 0
    waiting: int = 0


def _nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class Turn:
    """The right to use one worker, once it is granted."""

    client: _Client
    verdict: asyncio.Future[str | None]
    """None once the turn is granted, or the reason why it is not."""
    waited: float = 0.0
    """Seconds until it was granted."""
    began: float | None = None
    """When the work itself began; the start of a worker does not count as use."""
    took: float | None = None
    """Seconds of processor time that the work took, if it was completed."""
    typical: bool = True
    """Whether its duration is an estimate for the client's next program."""
    stop: Callable[[], None] = _nothing
    """Aborts the work."""
    revoked: bool = False
    """Whether the work was aborted so that others get a worker."""


class Shares:
    """Grants turns on a number of workers. Belongs to one event loop."""

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Distribute this many workers."""
        self._workers = workers
        self._slow_workers = max(1, workers - 1)
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._waiting: list[Turn] = []
        self._running: set[Turn] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._left = asyncio.Event()

    @asynccontextmanager
    async def turn(self, address: str, patience: float) -> AsyncIterator[Turn]:
        """Hold a turn on a worker, after at most ``patience`` seconds. Raises FilterUnavailable."""
        turn = Turn(self._client(_network(address)), asyncio.get_running_loop().create_future())
        self._join(turn)
        asked = self._clock()
        try:
            await _granted(turn, patience)
            turn.waited = self._clock() - asked
            yield turn
        finally:
            self._leave(turn)

    def begin(self, turn: Turn, stop: Callable[[], None]) -> None:
        """Count the time from now on as the client's use; ``stop`` aborts the work if others need the worker."""
        turn.began, turn.stop = self._clock(), stop

    def is_slow(self, turn: Turn) -> bool:
        """Tell whether the turn is a slow client's, or has itself run long enough to make its client slow."""
        now = self._clock()
        return now < turn.client.slow_until or (turn.began is not None and now - turn.began > SLOW_SECONDS)

    async def close(self) -> None:
        """Grant no more turns; those who wait are refused. Returns when no turn is held."""
        self._closed = True
        for turn in self._waiting[:]:
            self._decide(turn, STOPPING)
        while self._running:
            self._left.clear()
            await self._left.wait()

    def _client(self, name: str) -> _Client:
        client = self._clients.setdefault(name, _Client())
        self._clients.move_to_end(name)
        if len(self._clients) > REMEMBERED:
            del self._clients[next(name for name, each in self._clients.items() if not each.running | each.waiting)]
        return client

    def _join(self, turn: Turn) -> None:
        """Begin to wait. Raises FilterUnavailable if the queue is full and no other client has to make room."""
        if self._closed:
            raise FilterUnavailable(STOPPING)
        if len(self._waiting) >= QUEUE:
            last = max(reversed(self._waiting), key=lambda each: each.client.waiting)
            if last.client.waiting <= turn.client.waiting + 1:
                raise FilterUnavailable(_CROWDED)
            self._decide(last, _CROWDED)
        self._waiting.append(turn)
        turn.client.waiting += 1
        self._grant()

    def _leave(self, turn: Turn) -> None:
        """End a turn, or the wait for it."""
        if turn in self._waiting:
            self._decide(turn, None)
        if turn in self._running:
            self._running.remove(turn)
            turn.client.running -= 1
            self._account(turn)
            self._left.set()
            self._grant()

    def _decide(self, turn: Turn, refusal: str | None) -> None:
        """End the wait for a turn."""
        self._waiting.remove(turn)
        turn.client.waiting -= 1
        if not turn.verdict.done():  # else the wait was just cancelled
            turn.verdict.set_result(refusal)

    def _grant(self) -> None:
        """Grant turns while workers are free."""
        while len(self._running) < self._workers and (able := self._able()):
            turn = min(able, key=lambda each: self._used(each.client) + each.client.expected)
            self._decide(turn, None)
            self._running.add(turn)
            turn.client.running += 1
        self._review()

    def _able(self) -> list[Turn]:
        """Return the waiting turns that may be granted."""
        waiting = [turn for turn in self._waiting if not turn.verdict.done()]
        if sum(map(self.is_slow, self._running)) < self._slow_workers:
            return waiting
        return [turn for turn in waiting if not self.is_slow(turn)]

    def _review(self) -> None:
        """Revoke a turn if slow programs have all workers and another client waits; check again while one waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if len(self._running) <= self._slow_workers or all(map(self.is_slow, self._waiting)):
            return
        if all(map(self.is_slow, self._running)) and not any(turn.revoked for turn in self._running):
            last = max(self._running, key=lambda turn: turn.began or 0)
            last.revoked = True
            last.stop()
        self._timer = asyncio.get_running_loop().call_later(_REVIEW_SECONDS, self._review)

    def _account(self, turn: Turn) -> None:
        if turn.began is None:
            return
        client, now = turn.client, self._clock()
        took = now - turn.began if turn.took is None else turn.took
        client.used, client.at = self._used(client) + took, now
        if turn.typical:
            client.expected = took
        if took > SLOW_SECONDS or turn.took is None:
            client.slow_until = now + SLOW_FOR_SECONDS

    def _used(self, client: _Client) -> float:
        return client.used * math.exp2((client.at - self._clock()) / HALF_LIFE_SECONDS)


async def _granted(turn: Turn, patience: float) -> None:
    """Wait until a turn is granted; raises FilterUnavailable when it is not."""
    try:
        async with asyncio.timeout(patience):
            refusal = await turn.verdict
    except TimeoutError as exc:
        raise FilterUnavailable(BUSY) from exc
    if refusal is not None:
        raise FilterUnavailable(refusal)


@lru_cache(maxsize=REMEMBERED)
def _network(address: str) -> str:
    """Return what identifies the client: an IPv4 address, or the network half of an IPv6 address."""
    try:
        return str(IPv6Address(address.partition("%")[0]).packed[:8]) if ":" in address else address
    except ValueError:
        return address
