"""One life of a store, its log, the broker and their users, wholly decided by a seed.

``PYTHONPATH=tests python -m tests.simulation SEED`` lives it again and prints what happened.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiosqlite
from history_check import Entry, Record, judge

from tests.acceptance.clients import Tokens
from tests.events.world import GoOn, Join, Leave, Pause, Reconnect, Return, Step, World, tiny_bounds
from tests.simulation.connections import LIKELY, Fault, Faults, connector
from tests.simulation.consumers import NAME, RollUp
from tests.simulation.loop import run
from tests.simulation.recorded import RecordedLog
from tests.simulation.writers import CLIENTS, WORKFLOWS, Writer
from tests.store.backends import NOON
from tests.store.samples import all_jobs
from tests.store.sqlite.audit import assert_sound
from tests.tuned import tuned
from wfx.domain import job_json, replay
from wfx.domain.errors import BehindHorizon
from wfx.domain.job import Action, Subject
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.events.retention import Retention
from wfx.store import feed, plan, upkeep
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.sqlite import batch_sql

WRITERS = 3
CHANGES = 20
"""By each writer."""
STEPS = 50
"""Of the readers, all together."""
MEMORY = Path("/dev/shm")
"""Where a sync costs nothing, on Linux."""
_HOUR = 3_600_000_000
"""In microseconds."""


@dataclass
class Life:
    """What happens, as it is drawn from the seed."""

    seed: int
    kinds: tuple[Fault, ...] = LIKELY
    """How commits fail."""
    trace: list[str] = field(default_factory=list)
    """What happened, in its order."""

    def __post_init__(self) -> None:
        """Draw what holds for the whole life."""
        self.chance = random.Random(self.seed)
        self.faults = Faults(self.chance, self.chance.choice((0, 0.05, 0.3)), self.kinds)
        self.skew = 0
        self.attempts = Record().attempts

    def live(self) -> None:
        """Live it to its end. Raises AssertionError, or whatever else goes wrong."""
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, tiny_bounds() as patch:
            patch.setattr(aiosqlite, "connect", connector(self.chance, self.faults))
            patch.setattr(plan, "job_id", lambda _: str(uuid.UUID(int=self.chance.getrandbits(128))))
            patch.setattr(batch_sql, "_ENTRIES", 1)
            patch.setattr(upkeep, "AT_ONCE", 3)
            patch.setattr(feed, "_HELD_EVENTS", 5)
            patch.setattr(feed, "_READ", 3)
            path = Path(folder) / "wfx.db"
            with closing(sqlite3.connect(path, isolation_level=None)) as tables:
                run(self._live(path, tables), self.chance)
            assert_sound(path)

    def note(self, what: str) -> None:
        """Write down what happens now."""
        self.trace.append(f"{asyncio.get_running_loop().time():12.4f} {what}")

    async def _live(self, path: Path, tables: sqlite3.Connection) -> None:
        store = cast(BatchingStore, await open_store("sqlite", str(path), clock=self._clock))
        for workflow in WORKFLOWS:
            await store.create_workflow(workflow)
        await store.consumer(NAME)
        log = RecordedLog(store, tables)
        roll_up = RollUp(store, self)
        world = World(log)
        await world.broker.open()
        self.faults.loose = True
        async with Retention(
            cast(Store, log),
            tuned(events_keep=self.chance.choice((0, 5, 20, 10_000)), events_max_age=1800),
            interval=self.chance.choice((0.5, 5, 300)),
            now=lambda: Timestamp(self._clock()),
            keep_for_consumers=self.chance.choice((1_000_000, 20, 0)),
        ):
            consumers = [asyncio.create_task(roll_up.consume()) for _ in range(2)]
            writers = [Writer(f"w{n}", store, self) for n in range(WRITERS)]
            await asyncio.gather(self._move_readers(world), *(writer.write(CHANGES) for writer in writers))
            self.faults.loose = False
            await writers[0].create()
            roll_up.ending = True
            await asyncio.gather(*consumers)
        await world.come_to_rest()
        await log.record()
        world.check()
        self.attempts += roll_up.attempts()
        await roll_up.check(log.events)
        await self._check_store(log)
        await self._end(world, store)

    async def _move_readers(self, world: World) -> None:
        for _ in range(STEPS):
            step = self._step()
            self.note(f"readers: {step}")
            try:
                await step.happen(world)
            except BehindHorizon as exc:
                self.note(f"refused: {exc}")
                assert isinstance(step, Join)
                assert isinstance(step.since, float), "whoever wants all that is kept, or news, gets it"
            await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.1, 3)))

    def _step(self) -> Step:
        reader = self.chance.randrange(8)
        kind = self.chance.choices((Join, Leave, Return, Reconnect, Pause, GoOn), (3, 1, 1, 3, 1, 1))[0]
        if kind is not Join:
            return kind(reader)
        if self.chance.random() < 0.2:
            self.skew = self.chance.choice((-_HOUR, 0, _HOUR))
        parameters = {
            "clientIds": self.chance.choice((*CLIENTS, "nobody", ",".join(CLIENTS[:2]))),
            "workflows": self.chance.choice([workflow.name for workflow in WORKFLOWS]),
            "actions": self.chance.choice(("CREATE", "update_status,delete", ",".join(Action))),
        }
        chosen = self.chance.sample(sorted(parameters), self.chance.choice((0, 0, 1, 1, 2)))
        since = self.chance.choice((None, "now", "0", self.chance.random()))
        return Join({name: parameters[name] for name in chosen}, since, self.chance.choice((0, 0.01, 2)))

    async def _check_store(self, log: RecordedLog) -> None:
        """What was confirmed is there, what was refused is not, jobs are what the log says, and their times rise."""
        tokens = Tokens()
        of_jobs = [event for event in log.events if event.subject is Subject.JOB]
        entries = [
            Entry(event.seq, tokens.of({"action": event.action, "job": decode(event.payload)})) for event in of_jobs
        ]
        hidden = frozenset(event.seq for event in log.events if event.subject is Subject.WORKFLOW)
        assert judge(Record(self.attempts, entries, hidden=hidden)) == []
        known: dict[str, Any] = {}
        latest: dict[str, Timestamp] = {}
        for event in of_jobs:
            known[event.job_id] = replay.after(event, known.get(event.job_id))
            assert event.ctime > latest.get(event.job_id, 0), "a job's times rise, whatever the clock does"
            latest[event.job_id] = event.ctime
        left = {job_id: state for job_id, state in known.items() if state is not None}
        assert left == {job.id: decode(job_json.created(job)) for job in await all_jobs(log.store)}

    async def _end(self, world: World, store: Store) -> None:
        for number, follower in enumerate(world.followers):
            self.note(f"reader {number} saw {follower.source.events}".replace(world.log.log_id, "ID"))
        await world.broker.close()
        assert world.broker.subscribers == 0
        for follower in world.followers:
            await follower.leave()
        await store.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "no task is left"

    def _clock(self) -> int:
        return NOON + self.skew + int(asyncio.get_running_loop().time() * 1e6)
