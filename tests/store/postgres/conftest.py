"""Databases of the tests of PostgreSQL, and servers on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from postgres_server import Postgres

from tests.store.postgres_schemas import schemas, unsound
from tests.store.ready_schemas import ReadySchemas, Taken
from wfx.store.opening import open_store
from wfx.store.postgres.buckets import PostgresBuckets
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store


@pytest.fixture
def tables() -> bool:
    """Whether the schema of a test has the tables of a store from the start; tests marked as EMPTY make them."""
    return True


@pytest.fixture
def option(
    postgres: Postgres, database: str, ready_schemas: ReadySchemas, tmp_path: Path, *, tables: bool
) -> Iterator[str]:
    """The storage option of a schema without rows: by the socket if it has tables, else by TCP and with a password."""
    if tables:
        taken = Taken(ready_schemas)
        yield taken.option(tmp_path)
        taken.give_back()
    else:
        yield schemas(postgres, database)(tmp_path)


@pytest.fixture
async def plain(option: str) -> AsyncIterator[Plain]:
    """A connection of an administrator."""
    opened = await Connector(read_target(option))()
    yield opened
    await opened.close()


@pytest.fixture
async def servers(option: str) -> AsyncIterator[Sequence[Store]]:
    """Three stores on one database, which is sound in the end."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(3):
            store = await open_store("postgres", option)
            stack.push_async_callback(store.close)
            opened.append(store)
        yield opened
    assert await unsound(option) == []


@pytest.fixture
async def bucket_servers(option: str) -> AsyncIterator[Sequence[PostgresBuckets]]:
    """Buckets as two servers have them, in a database with tables."""
    opened = [PostgresBuckets(Connector(read_target(option)), Deadlines()) for _ in range(2)]
    yield opened
    for each in opened:
        await each.close()
