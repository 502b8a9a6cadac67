"""PostgreSQL that gives no answer, and ends no connection: requests are refused in time, and all goes on afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from postgres_server import Postgres

from tests.store.postgres.cutting_proxy import CuttingProxy
from tests.store.postgres.freezing import frozen
from tests.store.postgres.patience import in_the_end, until
from tests.store.postgres_schemas import unsound
from tests.store.samples import FLOW, begin, move, renamed, tag, whole_log
from wfx.domain.errors import StoreUnavailable
from wfx.domain.json import decode
from wfx.domain.query import JobQuery, Paging
from wfx.store.opening import open_store
from wfx.store.postgres import opening
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.deadlines import Deadlines, while_answering
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store

SHORT = Deadlines(3.0)
"""Long enough for a slow machine; all waits together take no longer than that."""
PATIENCE = 45.0
"""Seconds after which a request hangs: searches may take sixty."""


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_DEADLINES", SHORT)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that the tests may stop."""
    with Postgres() as running:
        yield running


@pytest.fixture
def option(server: Postgres) -> Iterator[str]:
    """The storage option of a database, which is sound in the end."""
    with server.database() as database:
        option = server.conninfo(database, sslmode="disable")
        yield option
        assert asyncio.run(unsound(option)) == []


@pytest.fixture
async def store(option: str) -> AsyncIterator[Store]:
    """A store on the database."""
    opened = await open_store("postgres", option)
    await opened.create_workflow(FLOW)
    yield opened
    await opened.close()


def _many_reads(store: Store, job: str) -> list[Coroutine[Any, Any, object]]:
    search, poll = JobQuery(state="RUN"), JobQuery(client_id="c", paging=Paging(limit=5))
    return [
        *(store.get_job(job) for _ in range(300)),
        *(store.query_jobs(each) for each in (search, poll) for _ in range(12)),
        *(store.get_history(job, 10) for _ in range(12)),
        store.query_workflows(Paging()), store.get_workflow(FLOW.name), store.read_log(0, 10), store.log_bounds(),
        store.count_jobs(), store.describe(), store.consumers(), store.ping(),
    ]  # fmt: skip


def _many_writes(store: Store, jobs: list[str]) -> list[Coroutine[Any, Any, object]]:
    return [
        *(store.change_job(job, tag(f"frozen-{n}")) for n, job in enumerate(jobs)),
        *(store.create_job(FLOW.name, begin()) for _ in range(150)),
        store.create_workflow(renamed("another")), store.lease("a", 10), store.consumer("a"),
    ]  # fmt: skip


async def _all_refused(acts: Sequence[Awaitable[object]]) -> set[str]:
    """Check that everything is refused, and return how."""
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
    assert [each for each in outcomes if not isinstance(each, StoreUnavailable)] == []
    return {str(each) for each in outcomes}


async def _all_answered(store: Store, job: str) -> None:
    for each in await asyncio.gather(*_many_reads(store, job), return_exceptions=True):
        if isinstance(each, BaseException):
            raise each


async def test_frozen(store: Store, server: Postgres) -> None:
    """Row 64: while PostgreSQL stands still all are refused, also who waits for others; then all goes on."""
    job = await store.create_job(FLOW.name, begin("c"))
    changed = [(await store.create_job(FLOW.name, begin())).id for _ in range(150)]
    with frozen(server):
        said = await _all_refused([*_many_reads(store, job.id), *_many_writes(store, changed)])
        assert said == {"PostgreSQL gives no answer"}
        assert await _all_refused(_many_reads(store, job.id))
    assert await in_the_end(partial(store.get_job, job.id)) == job
    assert (await in_the_end(lambda: store.change_job(job.id, move("RUN")))).version == 2
    await in_the_end(partial(_all_answered, store, job.id))
    log = await whole_log(store)
    assert [event.seq for event in log] == [*range(1, len(log) + 1)]
    for n, each in enumerate(changed):
        found = await store.get_job(each)
        assert decode(found.tags) == [f"frozen-{n}"] * (found.version - 1), "done once or not at all"


async def test_frozen_in_a_change(store: Store, option: str, server: Postgres) -> None:
    """Row 64: if PostgreSQL stands still at work on a change its outcome is unknown; it happens once at most."""
    job = await store.create_job(FLOW.name, begin())
    holder = await Connector(read_target(option))()
    async with holder.transaction():
        await holder.execute("SELECT FROM job FOR UPDATE")
        change = asyncio.create_task(store.change_job(job.id, tag("unknown")))
        await until(lambda: holder.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        with frozen(server):
            (said,) = await _all_refused([change])
    assert said == "it is unknown whether the change was made: PostgreSQL gives no answer"
    changed = await in_the_end(lambda: store.change_job(job.id, tag("known")))
    assert decode(changed.tags) in (["known"], ["known", "unknown"])
    assert changed.version == 1 + len(decode(changed.tags))
    assert len(await whole_log(store)) == 1 + changed.version
    await holder.close()


async def test_swallowed(server: Postgres, option: str) -> None:
    """Row 64: where bytes get lost on the way to PostgreSQL and back, and afterwards do not, the same holds."""
    proxy = CuttingProxy(server.port)
    async with proxy.running() as port:
        store = await open_store("postgres", f"{option} port={port} connect_timeout=2")
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin("c"))
        await _all_answered(store, job.id)
        with proxy.swallowing():
            await _all_refused([*_many_reads(store, job.id), *_many_writes(store, [job.id])])
        await in_the_end(partial(_all_answered, store, job.id))
        changed = await in_the_end(lambda: store.change_job(job.id, tag("after")))
        assert "after" in decode(changed.tags)
        await store.close()


async def test_long_searches(store: Store, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes longer than other requests may is answered, if PostgreSQL answers others meanwhile."""
    monkeypatch.setitem(opening._SEARCH, "lock_timeout", "60s")
    monkeypatch.setattr(opening, "_DEADLINES", Deadlines(0.9))
    job = await store.create_job(FLOW.name, begin())
    other = await open_store("postgres", option)
    holder = await Connector(read_target(option))()
    async with holder.transaction():
        await holder.execute("LOCK TABLE job")
        search = asyncio.create_task(other.query_jobs(JobQuery(state=job.state)))
        await asyncio.sleep(2 * opening._DEADLINES.answer)
        assert not search.done()
    assert (await search).items == (job,)
    await holder.close()
    await other.close()


async def test_asking_meanwhile() -> None:
    """What takes long is asked after again and again, and given up when that fails."""
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise StoreUnavailable

    with pytest.raises(TimeoutError):
        async with while_answering(ask, 0.01):
            await asyncio.Event().wait()
    assert asked == 3
