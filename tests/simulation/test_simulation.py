"""Whatever is interleaved with whatever, store, log, broker and readers keep what they promise.

``WFX_SIM_SEEDS`` says how many lives are lived, ``WFX_SIM_FIRST`` the seed of the first. A seed that fails is named;
``PYTHONPATH=tests python -m tests.simulation SEED`` prints what happened.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from tests.simulation.cluster_life import ClusterLife
from tests.simulation.connections import LIKELY, Fault, Faults, connector
from tests.simulation.life import Life
from tests.simulation.loop import run
from tests.simulation.servers import Database
from tests.store.backends import NOON
from tests.store.samples import FLOW, begin
from wfx.domain.errors import NotOnThisLog, StoreError, StoreUnavailable
from wfx.domain.job import Event
from wfx.events.framing import EncodedEvent
from wfx.events.log_window import RecentWindow
from wfx.events.subscriber_index import SubscriberIndex
from wfx.store.feed import Feed
from wfx.store.opening import open_store
from wfx.store.operations import TakeStep
from wfx.store.sqlite import consumers

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("WFX_SIM_SEEDS", "100"))
FIRST = int(os.environ.get("WFX_SIM_FIRST", "0" if "CI" in os.environ else random.randrange(10**9)))
TOGETHER = 25
"""Seeds in one test, so that several workers share them."""


def live_all(seeds: Iterable[int], kinds: tuple[Fault, ...] = LIKELY, kind_of_life: type[Life] = Life) -> list[Life]:
    """Live lives; a failure names the seed."""
    lives = [kind_of_life(seed, kinds) for seed in seeds]
    for life in lives:
        try:
            life.live()
        except Exception as exc:
            again = " ".join(["PYTHONPATH=tests python -m tests.simulation", *_words(kind_of_life), f"{life.seed}"])
            raise AssertionError(f"seed {life.seed} fails; to live it again: {again}") from exc
    return lives


def _words(kind_of_life: type[Life]) -> list[str]:
    return ["--servers"] if kind_of_life is ClusterLife else []


@pytest.mark.timeout(60 + SEEDS)
@pytest.mark.parametrize("part", range(-(-SEEDS // TOGETHER)))
def test_lives(part: int) -> None:
    """Rows 16 and 53: each reader sees just what is meant for him, jobs are what the log says, nothing is left over.

    With writers at once, stalls, reconnects, filters, pruning, a clock that jumps by hours, and commits that fail. And
    each event has one effect, whatever becomes of the commits of two consumers that race for it.
    """
    seeds = range(part * TOGETHER, min(SEEDS, (part + 1) * TOGETHER))
    drawn = [fault for life in live_all(FIRST + number for number in seeds) for fault in life.faults.drawn]
    assert drawn.count(Fault.NONE) > 20 * len(seeds), "something was written"


@pytest.mark.timeout(60 + SEEDS)
@pytest.mark.parametrize("part", range(-(-SEEDS // 2 // TOGETHER)))
def test_lives_of_two_servers(part: int) -> None:
    """Rows 16, 49 and 53: the same holds of two servers of one database, whose clients come to either at any time.

    However long questions, answers and notifications are on their way, and however the servers' clocks differ, each
    change is decided on the job as it is, and readers may go on at the other server where they left off.
    """
    seeds = range(part * TOGETHER, min(SEEDS // 2, (part + 1) * TOGETHER))
    lives = live_all((FIRST + number for number in seeds), kind_of_life=ClusterLife)
    assert [fault for life in lives for fault in life.faults.drawn].count(Fault.NONE) > 20 * len(seeds)
    assert sum(life.collisions for life in lives if isinstance(life, ClusterLife)) >= len(seeds) // 2


@pytest.mark.parametrize("kind_of_life", [Life, ClusterLife])
def test_a_seed_is_a_life(kind_of_life: type[Life]) -> None:
    """The same seed gives the same trace, here and in a process that hashes otherwise; another seed another one."""
    first, again, other = (life.trace for life in live_all((7, 7, 8), kind_of_life=kind_of_life))
    assert first == again != other
    assert len(first) > 50
    environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *_words(kind_of_life), "7"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    ).stdout
    assert printed.splitlines() == first


def forget_to_wake(patch: pytest.MonkeyPatch) -> None:
    """The broker does not tell its readers of the first of several events."""
    tell = SubscriberIndex.tell

    def tell_rest(self: SubscriberIndex, events: Sequence[Event]) -> None:
        tell(self, events[1:] or events)

    patch.setattr(SubscriberIndex, "tell", tell_rest)


def repeat(patch: pytest.MonkeyPatch) -> None:
    """The broker sends the newest event again to whoever just had it, now and then."""
    after = RecentWindow.after

    def from_before(self: RecentWindow, seq: int, at_most: int) -> Sequence[EncodedEvent]:
        return after(self, seq - (seq % 7 == 0 and seq >= self.first), at_most)

    patch.setattr(RecentWindow, "after", from_before)


def swap(patch: pytest.MonkeyPatch) -> None:
    """The broker sends two events in the wrong order."""
    after = RecentWindow.after

    def reversed_after(self: RecentWindow, seq: int, at_most: int) -> Sequence[EncodedEvent]:
        found = list(after(self, seq, at_most))
        return [*found[1::-1], *found[2:]]

    patch.setattr(RecentWindow, "after", reversed_after)


@pytest.mark.parametrize("plant", [forget_to_wake, repeat, swap])
def test_a_faulty_broker_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that drops an event, repeats one or swaps two fails the simulation within a few seeds."""
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"seed \d+ fails; .* python -m tests\.simulation \d+"):
        live_all(range(20))


@pytest.mark.parametrize("kind_of_life", [Life, ClusterLife])
def test_a_faulty_store_is_found(kind_of_life: type[Life]) -> None:
    """A store that confirms what it does not keep fails the simulation within a few seeds."""
    with pytest.raises(AssertionError, match=r"seed \d+ fails; .* python -m tests\.simulation .*\d+"):
        live_all(range(20), (Fault.LOST,), kind_of_life)


def decide_on_what_was(patch: pytest.MonkeyPatch) -> None:
    """The database does not compare what a change was decided on with what the job is."""
    patch.setattr(Database, "is_stale", lambda *_: False)


def hear_nothing(patch: pytest.MonkeyPatch) -> None:
    """A server does not hear of other servers' commits."""
    patch.setattr(Feed, "advance", lambda *_: None)


@pytest.mark.parametrize("plant", [decide_on_what_was, hear_nothing])
def test_a_faulty_server_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that overwrite each other's changes, or do not hear of each other, fail the simulation."""
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"seed \d+ fails; .* python -m tests\.simulation --servers \d+"):
        live_all(range(20), kind_of_life=ClusterLife)


def test_a_faulty_step_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that lets two consumers take one step fails the simulation within a few seeds."""

    def move(connection: sqlite3.Connection, step: TakeStep) -> None:
        connection.execute("UPDATE consumer SET position = ?, steps = steps + 1", (step.upto,))

    monkeypatch.setattr(consumers, "move", move)
    with pytest.raises(AssertionError, match=r"seed \d+ fails; .* python -m tests\.simulation \d+"):
        live_all(range(20))


def test_waiting_for_ever_is_found() -> None:
    """A simulation in which nothing can happen any more ends with an error, not never."""
    with pytest.raises(RuntimeError, match="everybody waits"):
        run(asyncio.Event().wait(), random.Random(1))


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.FAILED])
def test_what_was_rolled_back_is_no_event(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 19: a change whose commit failed is no event, and its number is given to the next one."""
    faults = Faults(random.Random(1), 1, (fault,))
    monkeypatch.setattr(aiosqlite, "connect", connector(random.Random(1), faults))

    async def scenario() -> None:
        store = await open_store("sqlite", str(tmp_path / "wfx.db"), clock=lambda: NOON)
        await store.create_workflow(FLOW)
        commits = store.follow_log()
        faults.loose = True
        with pytest.raises(StoreError):
            await store.create_job(FLOW.name, begin())
        faults.loose = False
        job = await store.create_job(FLOW.name, begin())
        for events in (await store.read_log(1, 10), await anext(aiter(commits))):
            assert [(event.seq, event.job_id) for event in events] == [(2, job.id)]
        await store.close()

    run(scenario(), random.Random(1))


def test_nothing_is_told_before_it_is_known_to_be_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 19: an event whose commit failed, and yet is in the tables, is on the log only once the store looked anew."""
    faults = Faults(random.Random(1), 1, (Fault.UNCERTAIN,))
    monkeypatch.setattr(aiosqlite, "connect", connector(random.Random(1), faults))

    async def scenario() -> None:
        store = await open_store("sqlite", str(tmp_path / "wfx.db"), clock=lambda: NOON)
        await store.create_workflow(FLOW)
        faults.loose = True
        with pytest.raises(StoreUnavailable):
            await store.create_job(FLOW.name, begin())
        with closing(sqlite3.connect(tmp_path / "wfx.db")) as tables:
            assert tables.execute("SELECT count(*) FROM event").fetchone() == (2,)
        assert await store.read_log(1, 10) == []
        with pytest.raises(NotOnThisLog):
            await store.read_log(2, 10)
        faults.loose = False
        await store.create_job(FLOW.name, begin())
        assert [event.seq for event in await store.read_log(0, 10)] == [1, 2, 3]
        await store.close()

    run(scenario(), random.Random(1))
