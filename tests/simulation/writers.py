"""Writers that change jobs in a store, and write down what they were told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from history_check import Attempt, Outcome

from tests.store.samples import begin, move, redefine, renamed, tag
from wfx.domain.errors import JobNotFound, StoreFull, StoreUnavailable, TransitionRefused
from wfx.store.protocol import Store

if TYPE_CHECKING:
    from tests.simulation.life import Life

WORKFLOWS = (renamed("flow-a"), renamed("flow-b"))
CLIENTS = ("a", "b", "c")
REFUSALS = (JobNotFound, StoreFull, TransitionRefused)
"""What says that nothing has happened."""


class Writer:
    """Does one thing after the other to jobs of its own; each carries a token (see :mod:`tests.acceptance.clients`)."""

    def __init__(self, name: str, store: Store, life: Life, jobs: list[str] | None = None) -> None:
        """Act as ``name``, which is part of all tokens; several writers may share a list of jobs."""
        self._name = name
        self._store = store
        self._life = life
        self._numbers = itertools.count(1)
        self._jobs: list[str] = [] if jobs is None else jobs

    async def write(self, changes: int) -> None:
        """Change something so many times; now and then several things at once."""
        chance = self._life.chance
        while changes > 0:
            at_once = min(changes, chance.choice((1, 1, 1, 4)))
            await asyncio.gather(*(self._change() for _ in range(at_once)))
            changes -= at_once
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.05, 2)))

    async def create(self) -> None:
        """Create a job."""
        token = self._token()
        chance = self._life.chance
        decide = begin(chance.choice(CLIENTS), definition={"token": token})
        job = await self._attempt(token, self._store.create_job(chance.choice(WORKFLOWS).name, decide))
        if job is not None:
            self._jobs.append(job.id)

    async def _change(self) -> None:
        chance, store = self._life.chance, self._store
        kind = chance.choices(("create", "move", "refused", "redefine", "tag", "delete"), (4, 8, 1, 2, 2, 1))[0]
        if kind == "create" or not self._jobs:
            await self.create()
            return
        job, token = chance.choice(self._jobs), self._token()
        match kind:
            case "move":
                await self._attempt(token, store.change_job(job, move("NEW", message=token)))
            case "refused":
                await self._attempt(token, store.change_job(job, move("DONE", message=token)))
            case "redefine":
                await self._attempt(token, store.change_job(job, redefine({"token": token})))
            case "tag":
                await self._attempt(token, store.change_job(job, tag(token)))
            case "delete":
                self._jobs.remove(job)
                await self._attempt(f"deletion of {job}", store.delete_job(job))

    def _token(self) -> str:
        return f"{self._name}.{next(self._numbers)}"

    async def _attempt(self, token: str, act: Awaitable[Any]) -> Any:
        loop = asyncio.get_running_loop()
        sent, answer = loop.time(), None
        try:
            answer = await act
            outcome = Outcome.ACKNOWLEDGED
        except REFUSALS:
            outcome = Outcome.REFUSED
        except StoreUnavailable:
            outcome = Outcome.UNKNOWN
        self._life.attempts.append(Attempt(token, outcome, sent, loop.time()))
        self._life.note(f"{token}: {outcome}")
        return answer
