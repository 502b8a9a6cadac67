"""Schemas of PostgreSQL databases: made once, and refused where they are not ours."""

from __future__ import annotations

import pytest

from tests.store.samples import FLOW
from wfx.domain.errors import StoreUnusable
from wfx.store.opening import open_store
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.migrate import Migration, migrate, migrations
from wfx.store.postgres.target import read_target


async def execute(option: str, sql: str) -> None:
    """Run statements in the schema of a test."""
    plain = await Connector(read_target(option))()
    await plain.execute(sql)
    await plain.close()


async def test_a_newer_schema_is_refused(option: str) -> None:
    """A database that a newer release has migrated is left as it is, and the message says what to do."""
    await (await open_store("postgres", option)).close()
    await execute(option, "UPDATE wfx_schema SET version = 999")
    with pytest.raises(StoreUnusable, match=r"has schema version 999, but .* only up to \d+; use a newer program"):
        await open_store("postgres", option)


async def test_a_database_of_the_reference_is_refused(option: str) -> None:
    """A database of the reference implementation is not touched: it is imported into another one."""
    await execute(
        option, "CREATE TABLE schema_migrations (version bigint); CREATE TABLE tag_jobs (); CREATE TABLE job ()"
    )
    with pytest.raises(StoreUnusable, match=r"another implementation .* is not taken over in its place; import"):
        await open_store("postgres", option)


async def test_a_database_of_another_program_is_refused(option: str) -> None:
    """A database with tables that have our names, and are not ours, is left as it is."""
    await execute(option, "CREATE TABLE history (n int)")
    with pytest.raises(StoreUnusable, match="another program: it has a table history; it was left as it is"):
        await open_store("postgres", option)


async def test_a_step_that_fails_leaves_nothing(option: str) -> None:
    """A migration that fails in its middle changes nothing, and the release before goes on."""
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    await store.close()
    steps = [*migrations(), Migration(998, "CREATE TABLE half (n int)"), Migration(999, "SELECT 1 / 0")]
    plain = await Connector(read_target(option))()
    with pytest.raises(Exception, match="division by zero"):
        await migrate(plain, steps, "the database")
    await plain.close()
    store = await open_store("postgres", option)
    assert await store.get_workflow(FLOW.name) == FLOW
    await store.close()


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
