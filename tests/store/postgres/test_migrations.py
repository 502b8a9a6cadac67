"""Schemas of PostgreSQL databases: made once, and refused where they are not ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.store.postgres.patience import until
from tests.store.postgres_schemas import unsound
from tests.store.samples import FLOW, begin
from wfx.domain.errors import StoreUnusable
from wfx.store.opening import open_store
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.migrate import LOCK, TABLES, VERSION_TABLE, Migration, migrate, migrations
from wfx.store.postgres.target import read_target


@pytest.fixture
def tables() -> bool:
    """Each test begins without tables."""
    return False


async def execute(option: str, sql: str) -> None:
    """Run statements in the schema of a test."""
    plain = await Connector(read_target(option))()
    await plain.execute(sql)
    await plain.close()


async def test_a_newer_schema_is_refused(option: str) -> None:
    """A database that a newer release has migrated is left as it is, and the message says what to do."""
    await (await open_store("postgres", option)).close()
    await execute(option, "UPDATE wfx_schema SET version = 999, oldest = 998")
    refused = r"has schema version 999, which needs .* 998 at least, but .* only up to \d+; use a newer program"
    with pytest.raises(StoreUnusable, match=refused):
        await open_store("postgres", option)


async def test_a_database_of_the_reference_is_refused(option: str) -> None:
    """A database of the reference implementation is not touched: it is imported into another one."""
    await execute(
        option, "CREATE TABLE schema_migrations (version bigint); CREATE TABLE tag_jobs (); CREATE TABLE job ()"
    )
    with pytest.raises(StoreUnusable, match=r"another implementation .* is not taken over in its place; import"):
        await open_store("postgres", option)


async def test_tables(option: str) -> None:
    """A server makes just those tables by which a database of ours is told from one of another program."""
    await (await open_store("postgres", option)).close()
    plain = await Connector(read_target(option))()
    found = await plain.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema")
    await plain.close()
    assert sorted(row[0] for row in found) == sorted([*TABLES, VERSION_TABLE])


async def test_a_database_of_another_program_is_refused(option: str) -> None:
    """A database with tables that have our names, and are not ours, is left as it is."""
    await execute(option, "CREATE TABLE history (n int)")
    with pytest.raises(StoreUnusable, match="another program: it has a table history; it was left as it is"):
        await open_store("postgres", option)


async def test_a_step_that_fails_leaves_nothing(option: str) -> None:
    """Row 7: a migration that fails in its middle changes nothing, and the release before goes on."""
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    await store.close()
    steps = [*migrations(), Migration(998, "CREATE TABLE half (n int)", 1), Migration(999, "SELECT 1 / 0", 1)]
    plain = await Connector(read_target(option))()
    with pytest.raises(Exception, match="division by zero"):
        await migrate(plain, steps, "the database")
    await plain.close()
    store = await open_store("postgres", option)
    assert await store.get_workflow(FLOW.name) == FLOW
    await store.close()


async def test_an_expanded_schema_is_for_the_release_before_too(option: str) -> None:
    """A database of a newer release that only added to it is opened by the release before, and stays what it is."""
    await (await open_store("postgres", option)).close()
    steps = [*migrations(), Migration(998, "ALTER TABLE job ADD COLUMN more text NOT NULL DEFAULT ''", 1)]
    plain = await Connector(read_target(option))()
    await migrate(plain, steps, "the database")
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin())
    assert await store.get_job(job.id) == job
    await store.close()
    await migrate(plain, steps, "the database")
    assert await plain.fetchrow("SELECT version, oldest FROM wfx_schema") == (998, 1)
    await plain.close()
    assert await unsound(option) == []


async def test_whoever_starts_meanwhile_waits(option: str) -> None:
    """Row 7: a server that starts while another one upgrades the tables waits for it, however long that takes."""
    first, second = await Connector(read_target(option))(), await Connector(read_target(option))()
    await first.execute("SET lock_timeout = '5ms'; SELECT 1")
    async with second.transaction():
        await second.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        migrating = asyncio.create_task(migrate(first, migrations(), "the database"))
        await until(lambda: second.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        await second.execute("SELECT pg_sleep(0.1)")  # what it is held up by is longer than its patience with locks
        assert not migrating.done()
    await migrating
    await first.close()
    await second.close()


async def test_an_upgrade_gives_way_to_what_is_under_way(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that finds the tables in use lets those go on who wait behind it, and tries again."""
    monkeypatch.setattr("wfx.store.postgres.migrate._LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr("wfx.store.postgres.migrate._PAUSE", 0.02)
    await (await open_store("postgres", option)).close()
    steps = [*migrations(), Migration(999, "ALTER TABLE log ADD COLUMN more text", 1)]
    plain, reading, late = [await Connector(read_target(option))() for _ in range(3)]
    async with reading.transaction():
        await reading.execute("SELECT FROM log")
        migrating = asyncio.create_task(migrate(plain, steps, "the database"))
        await until(lambda: reading.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        assert await late.fetchval("SELECT head FROM log") == 0
        assert not migrating.done()
    await migrating
    assert await late.fetchval("SELECT version FROM wfx_schema") == 999
    for each in (plain, reading, late):
        await each.close()


async def test_an_upgrade_that_finds_no_gap_is_given_up(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that others keep from the tables all the time ends with a message that says so."""
    monkeypatch.setattr("wfx.store.postgres.migrate._LOCK_TIMEOUT", "5ms")
    monkeypatch.setattr("wfx.store.postgres.migrate._PAUSE", 0)
    await (await open_store("postgres", option)).close()
    plain, reading = await Connector(read_target(option))(), await Connector(read_target(option))()
    async with reading.transaction():
        await reading.execute("SELECT FROM log")
        steps = [*migrations(), Migration(999, "ALTER TABLE log ADD COLUMN more text", 1)]
        with pytest.raises(StoreUnusable, match="cannot upgrade the database x, which others hold locks on"):
            await migrate(plain, steps, "x")
    await plain.close()
    await reading.close()


def test_each_step_says_which_programs_can_go_on(tmp_path: Path) -> None:
    """A step that does not say for which programs the tables are afterwards is refused, by its name."""
    (tmp_path / "0001_silent.sql").write_text("CREATE TABLE x ();")
    with pytest.raises(ValueError, match=r"0001_silent\.sql: the first line does not say"):
        migrations(tmp_path)
    oldest = [step.oldest for step in migrations()]
    assert oldest == sorted(oldest), "what was taken away does not come back"
    assert all(step.oldest <= step.number for step in migrations())


async def test_old_servers_leave_the_table_of_writers(option: str) -> None:
    """What servers that have died left in the table of writers goes when it is a week old."""
    store = await open_store("postgres", option)
    plain = await Connector(read_target(option))()
    await plain.execute(
        "INSERT INTO writer SELECT gen_random_uuid(), 1, 0, NULL, '{}', false, now() - interval '8 days'"
    )
    assert await plain.fetchval("SELECT count(*) FROM writer") == 2
    await store.close()
    assert await plain.fetchval("SELECT count(*) FROM writer") == 0
    await plain.close()
