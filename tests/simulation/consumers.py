"""Consumers of one name that do something for each event of a store's log, and write down what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from history_check import Attempt, Outcome

from tests.simulation.writers import CLIENTS, WORKFLOWS
from tests.store.samples import begin
from wfx.domain.errors import BehindHorizon, StepTaken, StoreError
from wfx.domain.job import Event, Job
from wfx.store.operations import CreateJob
from wfx.store.protocol import Consumer, Store

if TYPE_CHECKING:
    from tests.simulation.life import Life

NAME = "roll-up"
_IDS = UUID("2f0c4c7e-3d58-4c0a-a1f5-77f1b5a1c9d3")


def token_of(event: Event) -> str:
    """What the job that is created for an event carries."""
    return f"effect of {event.seq}"


class RollUp:
    """What consumers of this name do, all together: one job for each event of another job."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life
        self._sent: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._steps: list[int] = []
        self.ending = False
        """Whether to end at the head of the log."""

    async def consume(self) -> None:
        """Go on from wherever the consumer is, and from there again after each failure."""
        chance = self._life.chance
        place = None
        while True:
            ending = self.ending
            try:
                place = place or await self._store.consumer(NAME)
                events = await self._store.read_log(place.position, chance.choice((1, 3, 10)))
                if events or chance.random() < 0.1:
                    place = await self._step(place, events)
                elif ending:
                    return
                elif chance.random() < 0.3:
                    place = None
            except (StepTaken, BehindHorizon, StoreError) as exc:
                self._life.note(f"{NAME}: {type(exc).__name__}")
                place = None
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.05, 0.05, 8)))

    def attempts(self) -> list[Attempt]:
        """What was tried, and what was confirmed of it."""
        confirmed = [Attempt(token, Outcome.ACKNOWLEDGED, self._sent[token], end) for token, end in self._ended.items()]
        unknown = self._sent.keys() - self._ended.keys()
        return confirmed + [Attempt(token, Outcome.UNKNOWN, self._sent[token], 0) for token in sorted(unknown)]

    async def check(self, log: Sequence[Event]) -> None:
        """Each event has its effect but those that were lost; no step was taken twice."""
        place = await self._store.consumer(NAME)
        assert place.position == len(log)
        assert len(set(self._steps)) == len(self._steps) <= place.steps
        wanted = {str(uuid5(_IDS, token_of(event))) for event in log if event.client_id in CLIENTS}
        done = [event.job_id for event in log if event.client_id == NAME]
        assert len(set(done)) == len(done)
        missing = wanted.difference(done)
        assert not set(done) - wanted
        assert len(missing) <= place.lost
        self._life.note(f"{NAME}: {len(done)} effects, {len(missing)} missing, {place.lost} events lost")

    async def _step(self, place: Consumer, events: Sequence[Event]) -> Consumer:
        loop = asyncio.get_running_loop()
        tokens = [token_of(event) for event in events if event.client_id in CLIENTS]
        for token in tokens:
            self._sent.setdefault(token, loop.time())
        operations = [
            CreateJob(WORKFLOWS[0].name, begin(NAME, definition={"token": token}), id=uuid5(_IDS, token))
            for token in tokens
        ]
        upto = events[-1].seq if events else place.position
        answers = await self._store.step(NAME, place.position, place.steps, upto, operations)
        assert all(isinstance(answer, Job) for answer in answers), answers
        self._ended |= dict.fromkeys(tokens, loop.time())
        self._steps.append(place.steps)
        self._life.note(f"{NAME}: step {place.steps} to {upto}")
        return Consumer(NAME, upto, place.steps + 1, place.lost)
