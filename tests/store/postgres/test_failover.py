"""Standbys that are promoted: with all commits the log goes on, without the newest ones it is another log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from postgres_server import Postgres

from tests.acceptance.streams.following import Follower, Refused
from tests.acceptance.streams.writing import create_job, operator, store_workflow
from tests.store.postgres.patience import in_the_end, until
from tests.store.samples import FLOW, begin, move, tag, whole_log
from wfx.demo.local import LocalService
from wfx.domain.job import Job
from wfx.domain.query import JobQuery
from wfx.store.opening import open_store
from wfx.store.protocol import LogFollower, Store


class Pair:
    """A primary and its standby, with a database that is reached on whichever can write."""

    def __init__(self, primary: Postgres, standby: Postgres, database: str) -> None:
        """Use these."""
        self._primary, self._standby, self._database = primary, standby, database
        self.option = primary.conninfo(
            database, host="127.0.0.1,127.0.0.1", port=f"{primary.port},{standby.port}", sslmode="disable"
        )

    async def separate(self) -> None:
        """Have the standby hear no more, once it has all there is now."""
        await asyncio.to_thread(self._standby.catch_up_with, self._primary)
        await asyncio.to_thread(self._standby.stop)

    async def fail_over(self) -> None:
        """Lose the primary, and promote the standby as it is."""
        await asyncio.to_thread(self._primary.stop, "immediate")
        if self._standby.process is None:
            await asyncio.to_thread(self._standby.start)
        await asyncio.to_thread(self._standby.promote)

    async def return_old_primary(self) -> list[str]:
        """Start the old primary, which does not know that it is none; returns how many events it has."""
        await asyncio.to_thread(self._primary.start)
        return self.events_of_old_primary()

    def events_of_old_primary(self) -> list[str]:
        """Return how many events the old primary has."""
        return self._primary.sql("SELECT head FROM log", self._database)

    def connections(self) -> list[str]:
        """Return the processes that serve wfx on the promoted server."""
        return self._standby.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'wfx' ORDER BY pid")

    def end(self, pid: str) -> None:
        """End one of them."""
        self._standby.sql(f"SELECT pg_terminate_backend({pid}, 60000)")


@pytest.fixture
def pair() -> Iterator[Pair]:
    """An asynchronous standby and its primary."""
    with Postgres() as primary, primary.database() as database, Postgres(primary) as standby:
        yield Pair(primary, standby, database)


@pytest.fixture
async def servers(pair: Pair) -> AsyncIterator[list[Store]]:
    """Two servers on the database."""
    both = [await open_store("postgres", pair.option) for _ in range(2)]
    await both[0].create_workflow(FLOW)
    yield both
    for each in both:
        await each.close()


async def _in_the_end_on(store: Store, log_id: str, *, other: bool) -> str:
    """Wait until a server knows a log with this identity, or with another one; returns it."""

    async def holds() -> bool:
        return ((await in_the_end(store.log_bounds)).log_id == log_id) is not other

    await until(holds)
    return (await in_the_end(store.log_bounds)).log_id


async def test_without_loss(pair: Pair, servers: list[Store]) -> None:
    """Where the standby has all commits the log goes on under its identity, and followers miss nothing."""
    first, second = servers
    job = await first.create_job(FLOW.name, begin())
    log_id = (await first.log_bounds()).log_id
    follower = second.follow_log()
    await pair.separate()
    await pair.fail_over()
    changed = await in_the_end(lambda: first.change_job(job.id, move("RUN")))
    assert changed.version == 2
    await _sees(follower, 3)
    assert await _in_the_end_on(second, log_id, other=False) == log_id


@pytest.mark.parametrize("grows", [False, True])
async def test_with_loss(pair: Pair, servers: list[Store], *, grows: bool) -> None:
    """Row 51: where newest commits are lost all servers show another log, and none goes on from a place on the old."""
    first, second = servers
    job = await first.create_job(FLOW.name, begin())
    old = await first.log_bounds()
    followers = [store.follow_log() for store in servers]
    await pair.separate()
    for n in range(3):
        await first.change_job(job.id, tag(f"lost-{n}"))
    await _sees(followers[1], 5)
    await pair.fail_over()
    if grows:  # beyond the lost ones, before anybody looks
        await in_the_end(lambda: second.change_job(job.id, move("RUN")))
        for n in range(5):
            await in_the_end(partial(second.change_job, job.id, tag(f"new-{n}")))
    new = await _in_the_end_on(first, old.log_id, other=True)
    assert await _in_the_end_on(second, old.log_id, other=True) == new
    for each in followers:
        async with asyncio.timeout(60):
            assert [event.seq async for batch in each for event in batch if event.seq > 5] == []
    follower = second.follow_log()
    expected = await in_the_end(lambda: first.change_job(job.id, tag("known")))
    async with asyncio.timeout(60):
        (event,) = await anext(follower)
    assert event.job_id == job.id
    log = await whole_log(second)
    assert [each.seq for each in log] == [*range(1, len(log) + 1)]
    assert await _jobs(second) == (expected,)


async def _sees(follower: LogFollower, seq: int) -> None:
    async with asyncio.timeout(60):
        while (await anext(follower))[-1].seq < seq:
            pass


async def _jobs(store: Store) -> tuple[Job, ...]:
    return (await store.query_jobs(JobQuery())).items


async def test_streams(pair: Pair, tmp_path: Path) -> None:
    """Row 51: a stream that has shown lost events ends; its reader is told by 409 that its position means nothing."""
    service = LocalService(tmp_path, "--storage=postgres", f"--storage-opt={pair.option}")
    with service:
        store_workflow(service)
        job = create_job(service, "device")
        await pair.separate()
        follower = Follower(lambda: service.ports["south"], "since=0")
        with operator(service) as client:
            assert client.post(f"/jobs/{job}/tags", json=["lost"]).status_code == 200
            await follower.has_events(2)
            await pair.fail_over()
            with pytest.raises(Refused, match="409"):
                await follower.has(lambda: False)
            old = follower.last_id.decode()
            answer = client.get(
                "/jobs/events", params={"since": old, "limit": 5}, headers={"Accept": "application/json"}
            )
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "wfx.eventsOtherLog")
            assert answer.json()["logId"] not in old
            assert client.get(f"/jobs/{job}/tags").json() == []


@pytest.mark.parametrize("ahead", [True, False])
async def test_the_old_primary_comes_back(pair: Pair, *, ahead: bool) -> None:
    """Where a server of an older database can be written again all connections stay with the one that has the log."""
    store = await open_store("postgres", pair.option)
    try:
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin())
        await pair.separate()
        await pair.fail_over()
        if ahead:
            await in_the_end(lambda: store.change_job(job.id, tag("ahead")))
        await in_the_end(partial(_jobs, store))
        await in_the_end(store.log_bounds)
        old = await pair.return_old_primary()
        for number, pid in enumerate(pair.connections()):
            pair.end(pid)
            changed = await in_the_end(partial(store.change_job, job.id, tag(f"new-{number}")))
            assert await in_the_end(partial(store.get_job, job.id)) == changed
            assert await in_the_end(partial(_jobs, store)) == (changed,)
            assert (await in_the_end(store.log_bounds)).head == changed.version + 1
        assert pair.events_of_old_primary() == old, "nothing was written there"
    finally:
        await store.close()
