"""The ready schemas of the tests: what one test leaves is not seen by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from postgres_server import Postgres

from tests.store.ready_schemas import ReadySchemas
from tests.store.sqlite.test_checking import fill
from wfx.store.opening import open_store
from wfx.store.postgres.checking import check

_ALL = "SELECT tablename, query_to_xml(format('TABLE %I.%I', schemaname, tablename), true, false, '') FROM pg_tables"
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences"
_OF = " WHERE schemaname = '{}' ORDER BY 1"


@pytest.fixture
def ready(postgres: Postgres) -> Iterator[ReadySchemas]:
    """Ready schemas of a database that only this test uses."""
    with postgres.database() as name:
        made = ReadySchemas(postgres, name)
        yield made
        made.close()


async def filled(option: str) -> None:
    """Put some of everything into a schema."""
    store = await open_store("postgres", option)
    await fill(store)
    await store.close()


def content(ready: ReadySchemas, schema: str) -> list[str]:
    """Return all rows of a schema but the log's identity, and where its sequences are."""
    rows = ready.fetch(_ALL + _OF.format(schema)) + ready.fetch(_SEQUENCES + _OF.format(schema))
    (identity,) = ready.fetch(f"SELECT log_id FROM {schema}.log")
    return [repr(row).replace(identity[0], "") for row in rows]


def test_what_was_given_back_is_as_new(ready: ReadySchemas) -> None:
    """A schema that is used again has the rows and the numbers of a new one, and a log of its own."""
    schema = ready.take()
    new, (identity,) = content(ready, schema), ready.fetch(f"SELECT log_id FROM {schema}.log")
    asyncio.run(filled(ready.option(schema)))
    assert content(ready, schema) != new
    ready.give_back([schema])
    assert ready.take() == schema
    assert content(ready, schema) == new
    assert ready.fetch(f"SELECT log_id FROM {schema}.log") != [identity]
    asyncio.run(filled(ready.option(schema)))
    assert check(ready.option(schema)).findings == []
    assert ready.unsound(schema) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE job ADD COLUMN more text", "DROP INDEX job_state", "DROP TRIGGER job_tag_gone ON job",
        "ALTER FUNCTION keep_job_tags() COST 7", "REVOKE INSERT ON event FROM wfx", "ANALYZE log",
        "CREATE TABLE more ()",
        "INSERT INTO sequence SELECT repeat(md5(n::text), 9), n FROM generate_series(1, 4000) AS n",
    ],
)  # fmt: skip
def test_what_was_altered_is_not_used_again(ready: ReadySchemas, change: str) -> None:
    """A schema whose tables, functions, rights or statistics were changed, or that has grown, serves no other test."""
    schema = ready.take()
    ready.fetch(f"SET search_path = {schema}", change)
    ready.give_back([schema])
    assert ready.take() != schema


def test_what_somebody_still_uses_is_not_used_again(ready: ReadySchemas, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema of a test that has left a server at work serves no other test."""
    monkeypatch.setattr("tests.store.ready_schemas._ATTEMPTS", 2)
    schema = ready.take()

    async def leave() -> None:
        store = await open_store("postgres", ready.option(schema))
        await asyncio.to_thread(ready.give_back, [schema])
        await store.close()

    asyncio.run(leave())
    assert ready.take() != schema
