"""A log of events in a list, for tests of what stands on a store's log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import cast

from wfx.domain.errors import BehindHorizon, NotOnThisLog, StoreUnavailable
from wfx.domain.job import Action, Event
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import State, Workflow
from wfx.store.protocol import EVERYTHING, KEPT_FOR_CONSUMERS, Consumer, LogBounds, Store

WORKFLOWS = {name: Workflow(name, (State("NEW"), State("DONE"))) for name in ("flow-a", "flow-b")}
_MOMENT = 1_783_000_000_000_000


class ListLog:
    """The part of a store that concerns its log. Reads take a random while if a source of randomness is given."""

    def __init__(self, log_id: str = "L", jitter: random.Random | None = None) -> None:
        self.log_id = log_id
        self.events: list[Event] = []
        self.horizon = 0
        self.reads = 0
        self.unavailable = False
        self.leftover = 0
        """History entries that deleted jobs left behind."""
        self.jitter = jitter
        self._followers: list[asyncio.Queue[Sequence[Event]]] = []

    @property
    def store(self) -> Store:
        """The log as the store it is a part of."""
        return cast(Store, self)

    @property
    def head(self) -> int:
        """The newest sequence number."""
        return len(self.events)

    @property
    def pruned(self) -> int:
        """The newest sequence number that was pruned."""
        return self.horizon

    def commit(self, *drafts: tuple[str, str, str, Action], filling: str = "") -> list[Event]:
        """Append events of (job, client, workflow, action) in one commit and tell the followers."""
        added = [self._event(offset, draft, filling) for offset, draft in enumerate(drafts, 1)]
        self.events += added
        for follower in self._followers:
            follower.put_nowait(added)
        return added

    def change(
        self,
        job: str = "job",
        client: str = "client",
        workflow: str = "flow-a",
        action: Action = Action.UPDATE_STATUS,
        *,
        filling: str = "",
    ) -> Event:
        """Commit a single event."""
        return self.commit((job, client, workflow, action), filling=filling)[0]

    def lose_followers(self) -> None:
        """Fail all that follow, as when a connection to the database breaks."""
        for follower in self._followers:
            follower.put_nowait(())

    async def log_bounds(self) -> LogBounds:
        """See the protocol."""
        await self._take_a_while()
        return LogBounds(self.log_id, self.horizon + 1, self.head)

    async def read_log(self, after: int, limit: int, room: int = EVERYTHING) -> Sequence[Event]:
        """See the protocol. These events are small: there is room for all of them."""
        assert room > 0
        self.reads += 1
        await self._take_a_while()
        if after > self.head:
            raise NotOnThisLog(self.head, self.log_id)
        if after < self.horizon:
            raise BehindHorizon(self.horizon + 1)
        return self.events[after : after + limit]

    def follow_log(self) -> AsyncIterator[Sequence[Event]]:
        """See the protocol."""
        queue: asyncio.Queue[Sequence[Event]] = asyncio.Queue()
        self._followers.append(queue)
        return self._follow(queue)

    async def prune_log(
        self, *, keep_newest: int, older_than: Timestamp, at_most: int, keep_for_consumers: int = KEPT_FOR_CONSUMERS
    ) -> int:
        """See the protocol; there are no consumers."""
        assert keep_for_consumers > 0
        before = self.horizon
        while self.horizon < min(self.head, before + at_most) and (
            self.head - self.horizon > keep_newest or self.events[self.horizon].ctime < older_than
        ):
            self.horizon += 1
        return self.horizon - before

    async def consumers(self) -> Sequence[Consumer]:
        """See the protocol; nobody reads on."""
        return ()

    async def run_chores(self, at_most: int) -> int:
        """See the protocol; what is told of the jobs is all that this log has of them."""
        swept = min(at_most, self.leftover)
        self.leftover -= swept
        return swept

    async def _follow(self, queue: asyncio.Queue[Sequence[Event]]) -> AsyncIterator[Sequence[Event]]:
        try:
            while events := await queue.get():
                await self._dawdle()
                yield events
            raise StoreUnavailable("the connection broke")
        finally:
            self._followers.remove(queue)

    async def _take_a_while(self) -> None:
        await self._dawdle()
        if self.unavailable:
            raise StoreUnavailable("the database is away")

    async def _dawdle(self) -> None:
        await asyncio.sleep(self.jitter.choice((0, 0, 0.001, 0.01)) if self.jitter else 0)

    def _event(self, offset: int, draft: tuple[str, str, str, Action], filling: str) -> Event:
        job, client, workflow, action = draft
        seq = self.head + offset
        payload = Json(f'{{"clientId":"{client}","id":"{job}","filling":"{filling}"}}'.encode())
        return Event(seq, Timestamp(_MOMENT + seq * 1000), action, job, client, WORKFLOWS[workflow], payload)
