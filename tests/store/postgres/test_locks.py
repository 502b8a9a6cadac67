"""Locks that somebody else holds on the tables: what waits for them is refused in time, and nothing hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from postgres_server import Postgres

from tests.store.samples import FLOW, begin, move, tag
from wfx.domain.errors import StoreUnavailable
from wfx.domain.job import Job
from wfx.domain.query import JobQuery
from wfx.store import batching, snapshot
from wfx.store.opening import open_store
from wfx.store.postgres import opening
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store
from wfx.store.snapshot import Snapshots


@pytest.fixture
async def store(option: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store that does not wait long for locks."""
    monkeypatch.setitem(opening._WRITE, "lock_timeout", "200ms")
    opened = await open_store("postgres", option)
    await opened.create_workflow(FLOW)
    yield opened
    await opened.close()


@pytest.fixture
async def operator(option: str) -> AsyncIterator[Plain]:
    """Somebody else on the database."""
    plain = await Connector(read_target(option))()
    yield plain
    await plain.close()


async def waits_for_a_lock(operator: Plain, work: asyncio.Task[Any]) -> None:
    """Wait until somebody else waits for a lock, or the work that should wait has ended."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    async with asyncio.timeout(30):
        while not await operator.fetchval(waits) and not work.done():
            pass


@pytest.mark.parametrize("lock", ["SELECT FROM job FOR UPDATE", "SELECT FROM log FOR UPDATE", "LOCK TABLE history"])
async def test_a_lock_that_is_held_is_not_waited_for_without_end(store: Store, operator: Plain, lock: str) -> None:
    """Row 52: a change that a lock keeps waiting is refused; reads go on; once the lock is gone changes are done."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute(lock)
        with pytest.raises(StoreUnavailable, match="somebody holds a lock"):
            await store.change_job(job.id, move("RUN"))
        assert await store.get_job(job.id) == job
    assert (await store.change_job(job.id, move("RUN"))).version == 2
    assert (await store.log_bounds()).head == 3


async def test_a_lock_on_one_job_keeps_others_from_nothing(store: Store, operator: Plain) -> None:
    """While somebody holds a lock on a job its changes are refused, and those that come with them are done."""
    job = await store.create_job(FLOW.name, begin())
    others = [(await store.create_job(FLOW.name, begin())).id for _ in range(3)]
    async with operator.transaction():
        await operator.execute("SELECT FROM job WHERE id = $1 FOR UPDATE", job.id)
        for number in range(2):
            said = await asyncio.gather(
                *(store.change_job(each, tag(f"t{number}")) for each in (others[0], job.id, *others[1:])),
                return_exceptions=True,
            )
            assert "somebody holds a lock on this job" in str(said.pop(1))
            assert [each.version for each in said if isinstance(each, Job)] == [number + 2] * 3
    assert (await store.change_job(job.id, move("RUN"))).version == 2


async def test_a_lock_is_waited_for_once(store: Store, operator: Plain, postgres: Postgres) -> None:
    """A change that a lock on the table of jobs keeps waiting does not wait for that lock once more to look at rows."""
    job = await store.create_job(FLOW.name, begin())
    before = len(postgres.log())
    async with operator.transaction():
        await operator.execute("LOCK TABLE job IN EXCLUSIVE MODE")
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="somebody holds a lock on a table"):
                await store.change_job(job.id, move("RUN"))
    assert postgres.log()[before:].count("canceling statement due to lock timeout") == 2


async def test_all_who_wait_are_told_of_the_lock(store: Store, operator: Plain) -> None:
    """Reads and changes that a lock keeps waiting, and those that come behind them, are told that it is a lock."""
    job = await store.create_job(FLOW.name, begin())
    others = [(await store.create_job(FLOW.name, begin())).id for _ in range(3)]
    async with operator.transaction():
        await operator.execute("LOCK TABLE job, event, log IN ACCESS EXCLUSIVE MODE")
        said = await asyncio.gather(
            *(store.get_job(each) for each in (job.id, *others)),
            *(store.change_job(each, move("RUN")) for each in (job.id, *others)),
            store.log_bounds(),
            store.query_jobs(JobQuery()),
            return_exceptions=True,
        )
    assert [str(each) for each in said if "somebody holds a lock on a table or a row" not in str(each)] == []


async def test_metrics_do_not_wait_for_a_lock(option: str, operator: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the table of jobs is locked what was counted before is told, and nothing where nothing was counted."""
    monkeypatch.setitem(opening._SEARCH, "lock_timeout", "60s")
    monkeypatch.setattr(snapshot, "SOON_SECONDS", 0.1)
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin())
    counted = {(FLOW.name, job.group): 1}
    async with Snapshots(store) as snapshots, Snapshots(store) as others, asyncio.timeout(60):
        assert (await snapshots.take()).jobs == counted
        async with operator.transaction():
            await operator.execute("LOCK TABLE job")
            assert (await snapshots.known()).jobs == counted
            with pytest.raises(StoreUnavailable, match="no answer within"):
                await others.known()
            monkeypatch.setattr(snapshot, "KNOWN_SECONDS", -1.0)
            with pytest.raises(StoreUnavailable, match="no answer within"):
                await snapshots.known()
    assert (await Snapshots(store).take()).jobs == counted
    await store.close()


async def test_a_change_goes_on_when_the_lock_is_gone(store: Store, operator: Plain) -> None:
    """A change that waits for a lock is done on the job as it is then, whoever has changed it meanwhile."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute("UPDATE job SET version = version + 1, tags = '[\"theirs\"]'")
        await operator.execute("INSERT INTO history SELECT number, 1, 0, '{}' FROM job")
        await operator.execute("UPDATE job SET history_bytes = 2")
        change = asyncio.create_task(store.change_job(job.id, move("RUN")))
        await waits_for_a_lock(operator, change)
    changed = await change
    assert (changed.version, changed.tags) == (3, b'["theirs"]')


LOCKS = [
    "LOCK TABLE job IN EXCLUSIVE MODE",
    "SELECT FROM log FOR UPDATE",
    "LOCK TABLE event",
    "LOCK TABLE job, event, log, history",
]


@pytest.mark.parametrize("lock", LOCKS)
async def test_health_tells_of_a_lock(store: Store, operator: Plain, lock: str) -> None:
    """Row 52: once a change has waited for a lock in vain, health says so until the lock is gone, without a change."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute(lock)
        await store.ping()  # nothing has waited yet
        with pytest.raises(StoreUnavailable, match="somebody holds a lock"):
            await store.change_job(job.id, move("RUN"))
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="changes wait for a lock"):
                await store.ping()
    await store.ping()
    assert await store.get_job(job.id) == job


async def test_health_is_up_once_a_change_is_done(store: Store, operator: Plain) -> None:
    """Once a change is done that comes after a lock, health asks for no lock any more."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute("LOCK TABLE job IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="somebody holds a lock"):
            await store.change_job(job.id, move("RUN"))
    await store.change_job(job.id, move("RUN"))
    async with operator.transaction():
        await operator.execute("LOCK TABLE job IN EXCLUSIVE MODE")
        await store.ping()


async def test_a_lock_on_one_job_is_not_told_by_health(store: Store, operator: Plain) -> None:
    """While somebody holds a lock on the row of a job alone, health is up."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute("SELECT FROM job FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="somebody holds a lock on this job"):
            await store.change_job(job.id, move("RUN"))
        await store.ping()


async def test_health_names_the_lock_that_reads_wait_for(store: Store, operator: Plain) -> None:
    """While reads wait for a lock, health says that it is a lock, and not that PostgreSQL gives no answer."""
    job = await store.create_job(FLOW.name, begin())
    async with operator.transaction():
        await operator.execute("LOCK TABLE job")
        waiting = asyncio.create_task(store.get_job(job.id))
        await waits_for_a_lock(operator, waiting)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="changes wait for a lock"):
                await store.ping()
        with pytest.raises(StoreUnavailable, match="somebody holds a lock"):
            await waiting
        with pytest.raises(StoreUnavailable, match="changes wait for a lock"):
            await store.ping()
    await store.ping()


async def test_who_has_waited_behind_a_lock_is_not_tried(
    option: str, operator: Plain, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that has waited for long behind one that a lock kept waiting is refused with it, and is never sent."""
    monkeypatch.setitem(opening._WRITE, "lock_timeout", "3s")
    monkeypatch.setattr(batching, "_PATIENCE", 0.0)
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    jobs = [await store.create_job(FLOW.name, begin()) for _ in range(3)]
    before = len(postgres.log())
    async with operator.transaction():
        await operator.execute("SELECT FROM log FOR UPDATE")
        first = asyncio.create_task(store.change_job(jobs[0].id, move("RUN")))
        await waits_for_a_lock(operator, first)
        behind = (store.change_job(each.id, move("RUN")) for each in jobs[1:])
        said = await asyncio.gather(first, *behind, return_exceptions=True)
    assert [str(each) for each in said if "somebody holds a lock on a table or a row" not in str(each)] == []
    assert postgres.log()[before:].count("canceling statement due to lock timeout") == 1
    assert (await store.change_job(jobs[1].id, move("RUN"))).version == 2
    await store.close()
