"""PostgreSQL behind a pooler of transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from pgbouncer import pgbouncer
from postgres_server import Postgres

from tests.store.samples import FLOW, begin, move
from wfx.domain.job import Subject
from wfx.store.opening import open_store
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.notification_check import are_heard
from wfx.store.postgres.session import Demands
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store
from wfx.store.storage_settings import StorageSettings

JOBS = 40
DEADLINE = 60.0


@pytest.fixture(scope="module")
def pooled(postgres: Postgres) -> Iterator[int]:
    """The port of a PgBouncer."""
    with pgbouncer(postgres) as port:
        yield port


@pytest.fixture
def place(postgres: Postgres) -> Iterator[str]:
    """The name of an empty database."""
    with postgres.database() as name:
        yield name


@asynccontextmanager
async def opened(option: str, settings: StorageSettings) -> AsyncIterator[Store]:
    """A store, closed in the end."""
    store = await open_store("postgres", option, settings)
    try:
        yield store
    finally:
        await store.close()


async def test_noticed(postgres: Postgres, place: str, pooled: int, caplog: pytest.LogCaptureFixture) -> None:
    """A pooler that nobody has told of is noticed at the start, and the log says what to do."""
    async with opened(postgres.conninfo(place), StorageSettings()):
        assert "pooler" not in caplog.text
    async with opened(postgres.conninfo(place, port=pooled), StorageSettings()):
        assert "no notification of PostgreSQL is heard" in caplog.text
        assert "give --postgres-pooler, and PostgreSQL's own address as --postgres-listen-dsn" in caplog.text


@pytest.mark.parametrize("listens", [False, True])
async def test_works(postgres: Postgres, place: str, pooled: int, listens: bool) -> None:
    """Through a pooler all is done, and events of another server arrive, whether they are told or looked for."""
    direct = postgres.conninfo(place)
    settings = StorageSettings(pooler=True, listen_dsn=direct if listens else "")
    async with (
        opened(postgres.conninfo(place, port=pooled), settings) as store,
        opened(direct, StorageSettings()) as other,
    ):
        await store.create_workflow(FLOW)
        follower = store.follow_log()
        made = await asyncio.gather(*(store.create_job(FLOW.name, begin(f"press-{n}")) for n in range(JOBS)))
        await asyncio.gather(*(other.change_job(job.id, move("RUN")) for job in made))
        assert {(await store.get_job(job.id)).state for job in made} == {"RUN"}
        seen = 0
        async with asyncio.timeout(DEADLINE):
            while seen < 2 * JOBS:
                seen += len([event for event in await anext(follower) if event.subject is Subject.JOB])
        await follower.aclose()


async def test_check(postgres: Postgres, place: str, pooled: int) -> None:
    """Notifications are heard by who listens at PostgreSQL itself, also if they were sent through the pooler."""
    demands = Demands(pooler=True)
    direct = Connector(read_target(postgres.conninfo(place), {}))
    through = Connector(read_target(postgres.conninfo(place, port=pooled), {}), demands)
    assert await are_heard(direct, through)
    assert not await are_heard(through, direct)


async def test_settings_do_not_leak(postgres: Postgres, place: str, pooled: int) -> None:
    """Who uses the same pooler has its own settings, and not those of the store."""
    option = postgres.conninfo(place, port=pooled)
    async with opened(option, StorageSettings(pooler=True)) as store:
        await store.create_workflow(FLOW)
        others = [await Connector(read_target(option, {}), Demands(pooler=True))() for _ in range(5)]
        for name in ("jit", "enable_seqscan"):
            assert {await each.fetchval("SELECT current_setting($1)", name) for each in others} == {"on"}
        for each in others:
            await each.close()
