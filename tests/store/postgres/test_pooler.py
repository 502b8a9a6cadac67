"""PostgreSQL behind a pooler of transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from pgbouncer import pgbouncer
from postgres_server import Postgres

from tests.store.postgres.patience import until
from tests.store.samples import FLOW, begin, move
from wfx.domain.job import Subject
from wfx.store.opening import open_store
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.notification_check import open_heard
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
    heard = await open_heard(direct, through)
    assert heard is not None
    for each in heard:
        await each.close()
    assert await open_heard(through, direct) is None


async def test_commits_stay_durable(postgres: Postgres, place: str, pooled: int) -> None:
    """A change through a pooler commits durably, whatever becomes of the configuration of a PostgreSQL that runs."""
    async with opened(postgres.conninfo(place, port=pooled), StorageSettings(pooler=True)) as store:
        _record_commit_levels(postgres, place)
        postgres.sql("ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf()")
        try:
            demands = Demands(pooler=True, may_lose_commits=True)
            plain = await Connector(read_target(postgres.conninfo(place, port=pooled), {}), demands)()
            await until(lambda: _is_off(plain))
            await store.create_workflow(FLOW)
            job = await store.create_job(FLOW.name, begin("press-7"))
            await store.change_job(job.id, move("RUN"))
            await store.delete_job(job.id)
            await store.delete_workflow(FLOW.name)
            await store.ping()
            levels = [row[0] for row in await plain.fetch("SELECT level FROM levels")]
            await plain.close()
        finally:
            postgres.sql("ALTER SYSTEM RESET synchronous_commit; SELECT pg_reload_conf()")
    assert levels == ["on"] * 5


def _record_commit_levels(postgres: Postgres, place: str) -> None:
    """Have PostgreSQL note with which level of durability each event is written."""
    postgres.sql(
        """
        CREATE TABLE levels (level text);
        GRANT INSERT, SELECT ON levels TO PUBLIC;
        CREATE FUNCTION note_level() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.levels SELECT current_setting('synchronous_commit'); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON event
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_level();
        """,
        place,
    )


async def _is_off(plain: Plain) -> bool:
    return bool(await plain.fetchval("SELECT current_setting('synchronous_commit') = 'off'"))


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
