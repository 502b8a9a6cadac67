"""Servers as a user of the database that does not own the tables, while the owner upgrades them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from postgres_server import PASSWORD, USER, Postgres

from tests.store.postgres.release_before import start_as_before, write_as_before_counts_of_tags
from tests.store.samples import FLOW, all_jobs, begin
from wfx.domain.errors import StoreUnavailable
from wfx.store.opening import open_store
from wfx.store.protocol import Store

BEFORE = 6
"""The schema of programs that do not know of the table of tags, into which triggers write."""


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """An empty database."""
    with postgres.database() as name:
        yield name


@pytest.fixture
def user(postgres: Postgres, database: str) -> Iterator[str]:
    """A user that may do what servers do with tables that there are, and no more."""
    name = f"app_{uuid4().hex[:12]}"
    postgres.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    postgres.sql(f"DROP OWNED BY {name} CASCADE", database)
    postgres.sql(f"DROP ROLE {name}")


@pytest.fixture
async def older(postgres: Postgres, database: str, user: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A server of the release before, as this user, on tables of the owner."""
    start_as_before(BEFORE, monkeypatch)
    await (await open_store("postgres", postgres.conninfo(database))).close()
    postgres.sql(grant(user), database)
    opened = await open_store("postgres", postgres.conninfo(database, user=user))
    write_as_before_counts_of_tags(opened)
    await opened.create_workflow(FLOW)
    monkeypatch.undo()
    yield opened
    await opened.close()


def grant(user: str) -> str:
    """Return what gives the user the rights that the message names."""
    return f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"


async def upgrade(postgres: Postgres, database: str) -> None:
    """Let the owner make the present tables."""
    await (await open_store("postgres", postgres.conninfo(database))).close()


async def test_without_rights_on_new_tables(postgres: Postgres, database: str, user: str, older: Store) -> None:
    """A server that fails at a new table says which right who has to grant on which; once that is done it goes on."""
    await upgrade(postgres, database)
    await older.create_job(FLOW.name, begin())
    said = r"lacks a right; the owner has to GRANT SELECT, .* TO it \(SQLSTATE 42501\): permission .* table job_tag"
    with pytest.raises(StoreUnavailable, match=said):
        await older.create_job(FLOW.name, begin(tags=("x",)))
    newer = await open_store("postgres", postgres.conninfo(database, user=user))
    with pytest.raises(StoreUnavailable, match=r"lacks these rights, .*INSERT on counted_tag, .*UPDATE on tag_count"):
        await newer.ping()
    postgres.sql(grant(user), database)
    job = await older.create_job(FLOW.name, begin(tags=("x",)))
    await newer.ping()
    assert await all_jobs(newer, tags=("x",)) == (job,)
    await newer.close()


async def test_with_default_privileges(postgres: Postgres, database: str, user: str, older: Store) -> None:
    """Rights that the owner gives on all tables to come keep servers of the release before at work."""
    postgres.sql(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {USER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {user}", database
    )
    await upgrade(postgres, database)
    job = await older.create_job(FLOW.name, begin(tags=("x",)))
    newer = await open_store("postgres", postgres.conninfo(database, user=user))
    await newer.ping()
    assert await all_jobs(newer, tags=("x",)) == (job,)
    await newer.close()
