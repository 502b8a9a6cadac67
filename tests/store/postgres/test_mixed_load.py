"""Everything at once on several servers: no two wait for each other for ever, and the database is sound in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from tests.store.postgres_schemas import unsound
from tests.store.samples import begin, move, redefine, renamed, tag, untag
from wfx.domain.errors import NotFound, Refused, StepTaken
from wfx.domain.timestamp import Timestamp
from wfx.store.opening import open_store
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob
from wfx.store.protocol import Store

_FLOWS = ("flow-0", "flow-1", "flow-2")
_OPERATIONS = 60


class Caller:
    """Asks one server for one thing after the other."""

    def __init__(self, store: Store, jobs: list[str], number: int) -> None:
        """Share the ids of jobs with the other callers."""
        self._store, self._jobs, self._random = store, jobs, Random(number)

    async def ask(self) -> None:
        """Ask; it may be refused, since others ask for the same."""
        kinds: list[Callable[[], Awaitable[object]]] = [
            *[self._create] * 6, *[self._change] * 8, *[self._delete] * 2, *[self._step] * 2, self._prune,
            self._remake_workflow,
        ]  # fmt: skip
        for _ in range(_OPERATIONS):
            with suppress(NotFound, Refused, StepTaken):
                await self._random.choice(kinds)()

    async def _create(self) -> None:
        created = await self._store.create_job(self._random.choice(_FLOWS), begin(f"c{self._random.randrange(9)}"))
        self._jobs.append(created.id)

    async def _change(self) -> None:
        number = self._random.random()
        decisions = [move("RUN"), tag(str(number)), redefine({"n": number}), untag("s")]
        await self._store.change_job(self._job(), self._random.choice(decisions))

    async def _delete(self) -> None:
        await self._store.delete_job(self._job())

    async def _step(self) -> None:
        consumer = await self._store.consumer(self._random.choice(["a", "b"]))
        upto = min((await self._store.log_bounds()).head, consumer.position + 5)
        operations = [ChangeJob(self._job(), tag("s")), CreateJob(_FLOWS[0], begin()), DeleteJob(self._job())]
        await self._store.step(consumer.name, consumer.position, consumer.steps, upto, operations)

    async def _prune(self) -> None:
        await self._store.prune_log(keep_newest=50, older_than=Timestamp(0), at_most=100)

    async def _remake_workflow(self) -> None:
        name = self._random.choice(_FLOWS)
        with suppress(NotFound, Refused):
            await self._store.delete_workflow(name)
        await self._store.create_workflow(renamed(name))

    def _job(self) -> str:
        return self._random.choice(self._jobs) if self._jobs else "none yet"


async def test_nothing_gets_in_the_way_of_itself(option: str) -> None:
    """Whatever callers of three servers ask for at once is done, or refused for a reason that is none of the store."""
    stores = [await open_store("postgres", option) for _ in range(3)]
    jobs: list[str] = []
    for name in _FLOWS:
        await stores[0].create_workflow(renamed(name))
    await asyncio.gather(*(Caller(stores[number % 3], jobs, number).ask() for number in range(18)))
    heads = {(await store.log_bounds()).head for store in stores}
    for store in stores:
        await store.close()
    assert len(heads) == 1
    assert await unsound(option) == []
