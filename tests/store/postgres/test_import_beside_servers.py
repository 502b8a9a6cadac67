"""Import into a PostgreSQL database that servers work on: no acknowledged change is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Postgres

from tests.store.postgres_schemas import unsound
from tests.store.samples import renamed
from wfx.domain.errors import StoreUnavailable, StoreUnusable
from wfx.store.dump import Header, Record, WorkflowRecord
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.postgres import restoring

SECONDS = 60.0


@pytest.fixture
def tables() -> bool:
    """Each test begins without tables."""
    return False


def header(workflows: int) -> Header:
    """The header of so many workflows without events."""
    return Header("", 0, 0, workflows=workflows, jobs=0, events=0, consumers=0)


def record(number: int, name: str) -> WorkflowRecord:
    """A workflow of this name."""
    return WorkflowRecord(number, None, None, renamed(name).encoded)


async def test_a_database_with_servers_is_refused(option: str) -> None:
    """An import into an empty database that a server works on is refused, and the server goes on."""
    store = await open_store("postgres", option)
    try:
        with pytest.raises(StoreUnusable, match=r"servers work on the database .* \(1\); nothing was written"):
            await asyncio.to_thread(restoring.restore, option, header(1), [record(1, "imported")], quiet)
        assert (await store.create_workflow(renamed("served"))).name == "served"
    finally:
        await store.close()
    assert await unsound(option) == []


@pytest.mark.parametrize("refused", [False, True])
async def test_servers_change_nothing_meanwhile(
    option: str, postgres: Postgres, database: str, tmp_path: Path, *, refused: bool
) -> None:
    """While an import is under way a server that it did not see refuses changes, and goes on when it has ended."""
    schema = (tmp_path / "schema").read_text()
    loop = asyncio.get_running_loop()
    store = await open_store("postgres", option)

    def refuses() -> None:
        for change in (store.create_workflow(renamed("served")), store.consumer("served")):
            waiting: asyncio.Future[object] = asyncio.run_coroutine_threadsafe(change, loop)  # type: ignore[arg-type]
            with pytest.raises(StoreUnavailable, match="an import into the database is under way"):
                waiting.result(SECONDS)

    def records() -> Iterator[Record]:
        yield record(1, "imported")
        refuses()
        yield record(2, "imported" if refused else "other")

    try:
        postgres.sql(f"DELETE FROM {schema}.writer", database)  # as if it had no connection when the import began
        importing = asyncio.to_thread(restoring.restore, option, header(2), records(), quiet)
        if refused:
            with pytest.raises(StoreUnusable, match="a record is there twice"):
                await importing
        else:
            await importing
        await store.create_workflow(renamed("served"))
    finally:
        await store.close()
    assert await unsound(option) == []


async def test_rows_of_others_stay(option: str, postgres: Postgres, database: str, tmp_path: Path) -> None:
    """An import that is refused removes nothing where another program has written events meanwhile."""
    schema = (tmp_path / "schema").read_text()

    def records() -> Iterator[Record]:
        yield record(1, "imported")
        postgres.sql(f"UPDATE {schema}.log SET head = 1", database)
        yield record(2, "imported")

    with pytest.raises(StoreUnusable, match="another program has changed the database"):
        await asyncio.to_thread(restoring.restore, option, header(2), records(), quiet)
    assert postgres.sql(f"SELECT head FROM {schema}.log", database) == ["1"]


async def test_a_server_that_was_killed_is_forgotten(
    option: str, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """The row of a server that was killed is in no import's way when nobody is connected to the database."""
    schema = (tmp_path / "schema").read_text()
    await (await open_store("postgres", option)).close()
    row = "gen_random_uuid(), 1, 0, NULL, '{}', false, now()"
    postgres.sql(f"INSERT INTO {schema}.writer SELECT {row}", database)
    await asyncio.to_thread(restoring.restore, option, header(1), [record(1, "imported")], quiet)
    assert await unsound(option) == []
