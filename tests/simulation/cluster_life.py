"""One life of several servers of one database, their brokers and their users, wholly decided by a seed.

``PYTHONPATH=tests python -m tests.simulation --servers SEED`` lives it again and prints what happened.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

from tests.events.world import World, tiny_bounds
from tests.simulation.consumers import NAME, RollUp
from tests.simulation.life import CHANGES, WRITERS, Life
from tests.simulation.loop import run
from tests.simulation.servers import Database, Server
from tests.simulation.writers import WORKFLOWS, Writer
from tests.store.samples import all_jobs
from tests.tuned import tuned
from wfx.domain.job import Event
from wfx.domain.timestamp import Timestamp
from wfx.events.broker import Broker
from wfx.events.retention import Retention
from wfx.store import feed, plan, upkeep
from wfx.store.batching_store import BatchingStore
from wfx.store.postgres import listener
from wfx.store.protocol import Store

SERVERS = 2
_SECOND = 1_000_000
"""In microseconds."""


class SharedLog:
    """The log of a database, as it is; see :class:`tests.events.world.Log`."""

    def __init__(self, database: Database, store: Store) -> None:
        """Look into this database."""
        self._database = database
        self.store = store
        self.log_id = database.log_id

    @property
    def events(self) -> Sequence[Event]:
        """All there ever were."""
        return self._database.everything

    @property
    def head(self) -> int:
        """The newest sequence number."""
        return self._database.head

    @property
    def horizon(self) -> int:
        """The newest sequence number that was pruned."""
        return self._database.horizon

    pruned = horizon


class SharedWorld(World):
    """A log, a broker at each server, and readers who come to any of them."""

    def __init__(self, log: SharedLog, stores: Sequence[Store], chance: random.Random) -> None:
        """Put a broker on each store."""
        self.log = cast("Any", log)
        self.followers = []
        self.brokers = [Broker(store) for store in stores]
        self._chance = chance

    @property
    def broker(self) -> Broker:  # type: ignore[override]
        """The one that somebody comes to next."""
        return self._chance.choice(self.brokers)


class AnyServer:
    """A store whose every call goes to another server."""

    def __init__(self, stores: Sequence[Store], chance: random.Random) -> None:
        """Choose from these."""
        self._stores = stores
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        """Choose for each call anew."""
        return getattr(self._chance.choice(self._stores), name)


class ClusterLife(Life):
    """A life with several servers, whose clocks differ."""

    collisions = 0
    """How many changes had to be decided again."""

    def live(self) -> None:
        """Live it to its end. Raises AssertionError, or whatever else goes wrong."""
        with tiny_bounds() as patch:
            patch.setattr(plan, "job_id", lambda _: str(uuid.UUID(int=self.chance.getrandbits(128))))
            patch.setattr(upkeep, "AT_ONCE", 3)
            patch.setattr(feed, "_HELD_EVENTS", 5)
            patch.setattr(feed, "_READ", 3)
            patch.setattr(listener, "_POLL_SECONDS", 60)
            run(self._live_together(), self.chance)

    async def _live_together(self) -> None:
        database = Database()
        backends = [Server(database, self.chance, self.faults, number) for number in range(SERVERS)]
        stores = [await BatchingStore.open(cast("Any", backend), self._clock_of()) for backend in backends]
        log = SharedLog(database, stores[0])
        whichever = cast("Store", AnyServer(stores, self.chance))
        for workflow in WORKFLOWS:
            await whichever.create_workflow(workflow)
        await whichever.consumer(NAME)
        roll_up, jobs = RollUp(whichever, self), list[str]()
        world = SharedWorld(log, stores, self.chance)
        for broker in world.brokers:
            await broker.open()
        self.faults.loose = True
        async with AsyncExitStack() as stack:
            for store in stores:
                await stack.enter_async_context(self._retention(store))
            consumers = [asyncio.create_task(roll_up.consume()) for _ in range(2)]
            writers = [Writer(f"w{n}", whichever, self, jobs) for n in range(WRITERS)]
            await asyncio.gather(self._move_readers(world), *(writer.write(CHANGES) for writer in writers))
            self.faults.loose = False
            await writers[0].create()
            roll_up.ending = True
            await asyncio.gather(*consumers)
        self.collisions = database.collisions
        await world.come_to_rest()
        world.check()
        self.attempts += roll_up.attempts()
        await roll_up.check(log.events)
        await self._check_store(cast("Any", log))
        assert await all_jobs(stores[0]) == await all_jobs(stores[1])
        await self._end_together(world, stores)

    def _retention(self, store: Store) -> Retention:
        return Retention(
            store,
            tuned(events_keep=self.chance.choice((5, 20, 10_000)), events_max_age=1800),
            interval=self.chance.choice((0.5, 5, 300)),
            now=lambda: Timestamp(self._clock()),
            keep_for_consumers=self.chance.choice((1_000_000, 20, 0)),
        )

    def _clock_of(self) -> Any:
        """Make the clock of a server, which is not that of another one."""
        wrong = self.chance.choice((-2, 0, 0, 5, 3600)) * _SECOND
        return lambda: self._clock() + wrong

    async def _end_together(self, world: SharedWorld, stores: Sequence[Store]) -> None:
        for number, follower in enumerate(world.followers):
            self.note(f"reader {number} saw {follower.source.events}".replace(world.log.log_id, "ID"))
        for broker in world.brokers:
            await broker.close()
            assert broker.subscribers == 0
        for follower in world.followers:
            await follower.leave()
        for store in stores:
            await store.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "no task is left"
