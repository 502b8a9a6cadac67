"""One life of servers whose rules feed themselves, and which die and start again, wholly decided by a seed.

``PYTHONPATH=tests python -m tests.simulation --rules SEED`` lives it again and prints what happened.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiosqlite
import pytest

from tests.simulation.connections import connector
from tests.simulation.life import MEMORY, Life
from tests.simulation.limited_tasks import LimitedTasks
from tests.simulation.loop import run
from tests.simulation.servers import Database, Server
from tests.simulation.writers import WORKFLOWS
from tests.store.samples import begin, tag
from wfx.domain.cause import Cause
from wfx.domain.errors import StoreError
from wfx.domain.job import Action, Event, Subject
from wfx.expressions.expression import Compiler
from wfx.expressions.library import own_functions
from wfx.reactions import consumer, effects, facts, rule_steps, turn, waiting_action
from wfx.reactions.consumer import RuleConsumer
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.pace import Pace
from wfx.rules.graph import Graph
from wfx.rules.own_actions import WEBHOOK_NOTIFY, own_actions
from wfx.rules.rule_file import load
from wfx.service.bounded_counts import BoundedCounts
from wfx.store import batching_store, opening, plan
from wfx.store.protocol import Store
from wfx.store.rule_records import TaskQuery, TaskState

CHAINS = 4
"""Events that begin a chain, in each life."""
DEEPEST, MOST = 7, 40
"""The bounds of a chain that there are without an option, smaller than usual."""
RULES = """version: v1
scenarios:
  - id: again
    event_types: [job.create]
    children:
      - condition:
          id: for_again
          expression: payload.client == "again" OR payload.client == "fork"
          children:
            - action: {id: one, type: create_job, params: {client_id: "${payload.client}", workflow: flow-a}}
            - action: {id: tell, type: webhook_notify, params: {url: "https://hooks.example.com/"}}
            - action:
                id: point
                type: reward_points
                params: {operation: award, points: 1}
      - condition:
          id: for_fork
          expression: payload.client == "fork"
          children:
            - action: {id: two, type: create_job, params: {client_id: fork, workflow: flow-b}}
  - id: ping
    event_types: [job.add_tags]
    children:
      - action: {id: there, type: delete_tags, params: {tags: [ball]}}
  - id: pong
    event_types: [job.delete_tags]
    children:
      - action: {id: back, type: add_tags, params: {tags: [ball]}}
"""


class FixedRules:
    """Rules that stay."""

    def __init__(self) -> None:
        """Load them."""
        self.graph: Graph | None = load(RULES.encode(), Compiler(own_functions()), own_actions())

    def observe(self, _: Callable[[], None]) -> None:
        """Tell nothing."""


def virtual_time() -> float:
    """Tell the time of the loop."""
    return asyncio.get_running_loop().time()


class RuleLife(Life):
    """A life of rules on SQLite, or on a database of two servers; each server has one consumer after the other."""

    deaths = 0
    """How many consumers died."""
    limit = 0
    """How often an action may be taken in a chain."""
    tasks: LimitedTasks

    def live(self) -> None:
        """Live it to its end. Raises AssertionError, or whatever else goes wrong."""
        self.limit = self.chance.choice((0, 1, 5))
        self.tasks = LimitedTasks(self.chance, self._clock)
        folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        with pytest.MonkeyPatch.context() as patch, folder as name:
            patch.setattr(aiosqlite, "connect", connector(self.chance, self.faults))
            patch.setattr(plan, "job_id", lambda _: str(uuid.UUID(int=self.chance.getrandbits(128))))
            for module in (consumer, facts, rule_steps, turn):
                patch.setattr(module, "monotonic", virtual_time)
            for module in (rule_steps, waiting_action):
                patch.setattr(module, "present", self._clock)
            patch.setattr(consumer, "random", self.chance)
            patch.setattr(effects, "DEEPEST", DEEPEST)
            patch.setattr(effects, "MOST_IN_CHAIN", MOST)
            run(self._live_by_rules(Path(name) / "wfx.db"), self.chance)

    async def _live_by_rules(self, path: Path) -> None:
        async with self._servers(path) as stores:
            for workflow in WORKFLOWS:
                await stores[0].create_workflow(workflow)
            job = await stores[0].create_job(WORKFLOWS[0].name, begin("tagged"))
            await stores[0].consumer(turn.NAME)
            self.faults.loose = True
            async with AsyncExitStack() as stack:
                ending = asyncio.Event()
                for number, store in enumerate(stores):
                    serving = asyncio.create_task(self._serve(number, store, ending))
                    stack.push_async_callback(asyncio.wait, [serving])
                    stack.callback(ending.set)
                begun = await self._begin_chains(stores, job.id)
                await asyncio.sleep(self.chance.choice((0.1, 5, 60)))
                self.faults.loose = False
                await stores[0].create_job(
                    WORKFLOWS[0].name, begin("tagged")
                )  # what is not known to be there is looked at
                await self._settled(stores[0])
                await self._is_idle(stores[0])
            await self._check(stores[0], begun, job.id)

    @asynccontextmanager
    async def _servers(self, path: Path) -> AsyncIterator[Sequence[Store]]:
        """Open a store for each of two servers."""
        if self.chance.random() < 0.5:
            store = await opening.open_store("sqlite", str(path), clock=self._clock)
            stores: Sequence[Any] = (store, store)
        else:
            database = Database()
            backends = [Server(database, self.chance, self.faults, number) for number in range(2)]
            stores = [await batching_store.BatchingStore.open(cast("Any", each), self._clock) for each in backends]
        yield stores
        for each in dict.fromkeys(stores):
            await each.close()

    async def _serve(self, number: int, store: Store, ending: asyncio.Event) -> None:
        """Have rules at work until they die, again and again; in the end they live on."""
        limits, is_shared = self.tasks.limits(virtual_time), self.chance.random() < 0.7
        while not ending.is_set():
            admission = self.tasks.admission(store, limits)
            worker = RuleConsumer(
                store, cast("Any", FixedRules()), RuleFigures(), Fatals(virtual_time), BoundedCounts(),
                admission, lambda: self.limit, is_shared=is_shared,
                pace=Pace(virtual_time, lambda: 0.0),
            )  # fmt: skip
            async with worker, self.tasks.runners(store, limits, admission):
                self.note(f"rules begin at server {number}")
                life = self.chance.choice((0.001, 0.05, 1, 20)) if self.faults.loose else None
                try:
                    async with asyncio.timeout(life):
                        await ending.wait()
                except TimeoutError:
                    self.deaths += 1
            await asyncio.sleep(self.chance.choice((0, 0.01, 3)))

    async def _begin_chains(self, stores: Sequence[Store], job_id: str) -> Counter[str]:
        """Begin chains, each until it is known to have begun; return how many of which kind there are at least."""
        begun: Counter[str] = Counter()
        for number in range(CHAINS):
            kind, store = self.chance.choice(("again", "fork", "tagged")), self.chance.choice(stores)
            cause = Cause(f"r{number}", "north").encoded
            try:
                if kind == "tagged":
                    await store.change_job(job_id, tag("ball" if number == 0 else f"ball{number}"), cause=cause)
                else:
                    await store.create_job(WORKFLOWS[0].name, begin(kind), cause=cause)
                begun[kind] += 1
            except StoreError as exc:
                self.note(f"{kind}: {exc}")
            await asyncio.sleep(self.chance.choice((0, 0.01, 2)))
        return begun

    async def _settled(self, store: Store) -> None:
        """Wait until the rules have seen everything, for a bounded number of looks."""
        for _ in range(2000):
            place = next(one for one in await store.consumers() if one.name == turn.NAME)
            has_tasks = await store.count_open_tasks()
            if not has_tasks and place.position == (await store.log_bounds()).head:
                return
            await asyncio.sleep(1)
        raise AssertionError("the rules come to no end")

    async def _is_idle(self, store: Store) -> None:
        """In the minutes after that nothing is written to the log, and no step is taken."""
        before = await store.log_bounds(), await store.consumers()
        await asyncio.sleep(300)
        assert (await store.log_bounds(), await store.consumers()) == before

    async def _check(self, store: Store, begun: Counter[str], job_id: str) -> None:
        """Each chain has as many events as the limits say, and each of its effects once."""
        log = await store.read_log(0, 100_000)
        caused = [(event, event.cause or Cause()) for event in log if event.subject is Subject.JOB]
        chains = {event.seq: event for event, cause in caused if cause.root is None}
        found = Counter(event.client_id for event in chains.values())
        assert found >= begun, "what was confirmed is there"
        members = {root: [event for event, cause in caused if cause.root == root] for root in chains}
        for root, first in chains.items():
            self.note(f"chain {first.client_id}: {len(members[root])} events")
            if first.client_id == "tagged":
                self._check_tags(members[root], job_id)
            else:
                self._check_jobs(first.client_id, members[root])
        tasks = await store.list_tasks(TaskQuery(limit=1000))
        assert {task.state for task in tasks} <= {TaskState.DONE}
        assert {*self.tasks.sent} == {task.key for task in tasks if task.kind == WEBHOOK_NOTIFY}
        scores = await store.list_scores(0, 1000)
        assert len({score.key for score in scores}) == len(scores)
        assert sum(map(len, members.values())) <= len(chains) * MOST * 2

    def _check_jobs(self, kind: str, events: Sequence[Event]) -> None:
        """A chain of jobs has as many as it may, each once."""
        made = Counter(event.workflow.name for event in events)
        assert {event.action for event in events} == {Action.CREATE}
        assert len({event.job_id for event in events}) == len(events)
        assert max(self._depths(events)) <= DEEPEST
        if self.limit:
            assert made == dict.fromkeys(self._workflows(kind), self.limit)
        elif kind == "again":
            assert made == {"flow-a": DEEPEST}
        else:
            assert len(events) <= MOST + len(self._workflows(kind))

    @staticmethod
    def _workflows(kind: str) -> Sequence[str]:
        return ("flow-a", "flow-b") if kind == "fork" else ("flow-a",)

    def _check_tags(self, events: Sequence[Event], job_id: str) -> None:
        """A tag that comes and goes does so as often as it may at most."""
        assert {event.job_id for event in events} <= {job_id}
        assert len(events) <= (2 * self.limit or DEEPEST)

    @staticmethod
    def _depths(events: Iterable[Event]) -> Sequence[int]:
        return [event.cause.depth for event in events if event.cause is not None]
