"""Encryption on a database in which others than servers have sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from postgres_server import PASSWORD, USER, Postgres
from waiting import until

from tests.protection.life import BASE, SECRET, holding, sealing, wfx
from tests.protection.stores import on
from tests.protection.test_sealed_rows import fill
from tests.store.backends import SEALING, SetClock
from wfx.demo.local import LocalService
from wfx.store.opening import open_store
from wfx.store.postgres import sweeping
from wfx.store.postgres.rekeying import rekey
from wfx.store.storage_settings import StorageSettings

READING = "BEGIN; SELECT FROM event LIMIT 1"
SEEING = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"
KILLED = """
INSERT INTO writer (id, epoch, batch, stale, done, seen)
VALUES (gen_random_uuid(), 1, 0, '{}', false, now() - interval '1 hour')
"""
"""The row that a server of an older release has left."""


@pytest.fixture
def database(talkative: Postgres) -> Iterator[str]:
    """The name of an empty database."""
    with talkative.database() as name:
        yield name


@asynccontextmanager
async def session(postgres: Postgres, database: str, name: str, sql: str) -> AsyncIterator[asyncpg.Connection]:
    """Have a session of this name that has run these statements, and does nothing more."""
    plain = await asyncpg.connect(
        host="127.0.0.1", port=postgres.port, user=USER, password=PASSWORD, database=database,
        server_settings={"application_name": name},
    )  # fmt: skip
    try:
        await plain.execute(sql)
        yield plain
    finally:
        await plain.close()


async def store_plain_values(option: str) -> None:
    """Fill the database, without keys."""
    store = await open_store("postgres", option, StorageSettings(), clock=SetClock())
    await fill(store)
    await store.close()


@pytest.mark.parametrize(("name", "starts"), [("psql", True), ("wfx", False)])
async def test_an_older_server_is_told_from_other_programs(
    talkative: Postgres, database: str, tmp_path: Path, name: str, starts: bool
) -> None:
    """Where a server of an older release was killed, sessions of other programs keep nobody from encrypting."""
    option = talkative.conninfo(database)
    await store_plain_values(option)
    given = on(talkative, database) | sealing("one")
    async with session(talkative, database, name, KILLED):
        if starts:
            with LocalService(tmp_path, environment=given) as service:
                answer = await asyncio.to_thread(httpx.get, f"{service.north}{BASE}/jobs")
            assert answer.status_code == 200
        else:
            refused = await asyncio.to_thread(wfx, tmp_path, "--client-port=0", "--mgmt-port=0", **given)
            assert refused.returncode == 1
            assert "a server of an older release, which cannot open sealed values, is at work" in refused.stderr


@pytest.mark.parametrize("sql", [READING, SEEING])
async def test_rekey_names_who_is_in_its_way(talkative: Postgres, database: str, sql: str) -> None:
    """While a session uses a table, or sees former values, `wfx rekey` tells so, and goes on once it has ended."""
    option, told = talkative.conninfo(database), list[str]()
    await store_plain_values(option)
    async with session(talkative, database, "report", sql):
        work = asyncio.create_task(
            asyncio.to_thread(rekey, option, SEALING, lambda what, _done, _total: told.append(what))
        )
        await until(lambda: work.done() or any('"report"' in each for each in told), "it says who is in the way")
        assert not work.done()
    done = await work
    assert "in the way" not in done.remains
    talkative.sql("CHECKPOINT")
    assert holding(talkative.data / "base", SECRET) == set()


async def test_rekey_waits_for_a_while_only(
    talkative: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has waited in vain `wfx rekey` says who was in the way, and all can be done by another call."""
    monkeypatch.setattr(sweeping, "_PATIENCE", 0.0)
    option = talkative.conninfo(database)
    await store_plain_values(option)
    async with session(talkative, database, "report", READING):
        done = await asyncio.to_thread(rekey, option, SEALING, lambda *_: None)
        assert done.values > 0
        assert '("report") is not in the way any more' in done.remains
    again = await asyncio.to_thread(rekey, option, SEALING, lambda *_: None)
    assert again.values == 0
    assert "in the way" not in again.remains
