"""Queue for the workers that gives each client its share, so that none keeps the others from theirs.

Whose client has used least of late, and is expected to need least now, goes first. *Slow* clients, those with a program
that ran long not long ago, never have all workers. Who turns out to be slow while others wait and all workers are had
by such programs has to give its turn back: the program has no effects, so it can be run again when a slow client's turn
comes. When too many wait, those of the client with the most make room for others.
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
"""For so long a client stays slow."""

HALF_LIFE_SECONDS = 30.0
"""In so long half of what a client has used is forgotten."""

REMEMBERED = 1024
"""How many clients are remembered of whom nothing runs or waits."""

_REVIEW_SECONDS = 0.05

STOPPING = "The server is stopping"
BUSY = "Other response filters kept all workers busy; try again later"
_CROWDED = f"Already {QUEUE} response filters are waiting to be run; try again later"


@dataclass(slots=True, eq=False)
class _Client:
    used: float = 0.0
    """Seconds of work, as far as they were not forgotten at the time ``at``."""
    at: float = 0.0
    expected: float = 1.0
    """Seconds that its last program took; much, as long as there was none."""
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
    """None when it is granted, else the reason why not."""
    waited: float = 0.0
    """Seconds until it was granted."""
    began: float | None = None
    """When the work itself began: what came before, as the start of a worker, is nobody's fault."""
    took: float | None = None
    """Seconds of processor time that the work took, if it came to its end."""
    typical: bool = True
    """Whether it tells how much the client is going to need next time."""
    stop: Callable[[], None] = _nothing
    """Ends the work before its end."""
    revoked: bool = False
    """Whether the work was ended for others' sake."""


class Shares:
    """A number of workers, and who waits for them. Owned by one event loop."""

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
        """Wait for a worker, ``patience`` seconds at most, and have it. Raises FilterUnavailable."""
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
        """Count the time from now on as used by the turn's client; ``stop`` ends the work, should others need it."""
        turn.began, turn.stop = self._clock(), stop

    def is_slow(self, turn: Turn) -> bool:
        """Tell whether the turn is a slow client's, or has itself become as long as makes one slow."""
        now = self._clock()
        return now < turn.client.slow_until or (turn.began is not None and now - turn.began > SLOW_SECONDS)

    async def close(self) -> None:
        """Grant no more turns; who waits is told so. Returns when nobody has a turn."""
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
        """Begin to wait; raises FilterUnavailable when there is no room, and nobody who has to make some."""
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
        if not turn.verdict.done():  # else it has just been given up
            turn.verdict.set_result(refusal)

    def _grant(self) -> None:
        """Give out what workers there are."""
        while len(self._running) < self._workers and (able := self._able()):
            turn = min(able, key=lambda each: self._used(each.client) + each.client.expected)
            self._decide(turn, None)
            self._running.add(turn)
            turn.client.running += 1
        self._review()

    def _able(self) -> list[Turn]:
        """Give the turns that wait and may be granted."""
        waiting = [turn for turn in self._waiting if not turn.verdict.done()]
        if sum(map(self.is_slow, self._running)) < self._slow_workers:
            return waiting
        return [turn for turn in waiting if not self.is_slow(turn)]

    def _review(self) -> None:
        """Take a worker back when slow programs have all and another waits; look again as long as one waits."""
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
    """Give what stands for the client: an IPv4 address as it is, but of IPv6 the half that is the network's."""
    try:
        return str(IPv6Address(address.partition("%")[0]).packed[:8]) if ":" in address else address
    except ValueError:
        return address
