"""Schemas that have the tables of a store already, for tests that do not look at how these come about."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import asyncpg
from postgres_server import SUPERUSER, USER, Postgres

from tests.store.postgres_schemas import UNSOUND, new_name
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.migrate import migrate, migrations

Result = TypeVar("Result")

_DEFINITION = """
WITH own AS (
    SELECT oid, relname, relacl, xmin AS version FROM pg_class WHERE relnamespace = current_schema::regnamespace
)
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat(oid, relname, version, relacl) FROM own
    UNION ALL SELECT concat(oid, proname, xmin) FROM pg_proc WHERE pronamespace = current_schema::regnamespace
    UNION ALL SELECT concat(oid, conname, xmin) FROM pg_constraint WHERE connamespace = current_schema::regnamespace
    UNION ALL SELECT concat(oid, tgname, xmin) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM own)
    UNION ALL SELECT concat(attrelid, attname, xmin) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM own)
    UNION ALL SELECT concat(starelid, staattnum) FROM pg_statistic WHERE starelid IN (SELECT oid FROM own)
) AS parts (part)
"""
"""Differs once tables, functions, triggers or rights were changed, or statistics were gathered."""
_LARGEST = "SELECT max(pg_table_size(oid)) FROM pg_class WHERE relnamespace = current_schema::regnamespace"
_LARGE = 1024 * 1024
"""Bytes of a table that tests would notice to be empty only by now."""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"
_ATTEMPTS = 200
_PAUSE = 0.01
"""Seconds, so many times, in which sessions of a test that has ended may end as well."""
_LOST = (
    asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError, OSError,
)  # fmt: skip
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema"
_EMPTY = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace = current_schema::regnamespace
            AND (relkind = 'S' OR (relkind = 'r' AND pg_relation_size(oid) > 0))
    LOOP
        IF one.relkind = 'S' THEN
            PERFORM setval(one.name, 1, false);
        ELSE
            EXECUTE format('DELETE FROM %s', one.name);
        END IF;
    END LOOP;
END
$$
"""
_OTHER_LOG = "UPDATE log SET log_id = replace(gen_random_uuid()::text, '-', '')"


class ReadySchemas:
    """Schemas of one database with the present tables, and no rows but those that the migrations make.

    One that was given back is emptied and used again, if it is what it was otherwise.
    """

    def __init__(self, postgres: Postgres, database: str) -> None:
        """Work as an administrator, on a loop in a thread: whoever needs a schema may be in a loop."""
        self._postgres, self._database = postgres, database
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._plain: Plain | None = None
        self._free: list[str] = []
        self._definitions: dict[str, str] = {}
        self._first_rows: Mapping[str, str] = {}

    def close(self) -> None:
        """End."""
        if self._plain is not None:
            self._run(self._plain.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def take(self) -> str:
        """Return the name of one that nobody else uses."""
        return self._run(self._taken())

    def option(self, schema: str) -> str:
        """Return the storage option of a schema, by the socket, which takes least; other ways have their own tests."""
        options = f"-c search_path={schema}"
        return self._postgres.conninfo(self._database, host=self._postgres.folder, options=options)

    def unsound(self, schema: str) -> Sequence[str]:
        """Return what is not as it must be in a schema."""
        return self._run(self._unsound(schema))

    def fetch(self, *statements: str) -> Sequence[asyncpg.Record]:
        """Do something as an administrator; returns the rows of the last statement."""
        return self._run(self._fetched(statements))

    def give_back(self, schemas: Sequence[str]) -> None:
        """Have schemas used by others, once whoever used them is gone."""
        with suppress(*_LOST):  # else others are made
            self._run(self._emptied(schemas))

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _administrator(self) -> Plain:
        if self._plain is None or self._plain.is_closed():
            self._plain = await asyncpg.connect(
                host=str(self._postgres.folder), port=self._postgres.port, user=SUPERUSER, database=self._database,
                ssl="disable", statement_cache_size=0, server_settings={"synchronous_commit": "off"},
            )  # fmt: skip
        return self._plain

    async def _taken(self) -> str:
        if self._free:
            return self._free.pop()
        plain, name = await self._administrator(), new_name()
        await plain.execute(
            f"CREATE SCHEMA {name} AUTHORIZATION {USER}; SET SESSION AUTHORIZATION {USER}; SET search_path = {name}"
        )
        await migrate(plain, migrations(), name)
        await plain.execute("RESET SESSION AUTHORIZATION")
        if not self._first_rows:
            made = [row[0] for row in await plain.fetch(_TABLES)]
            found = {
                table: await plain.fetchval(f"SELECT json_agg(whole_row) FROM {table} AS whole_row") for table in made
            }
            self._first_rows = {table: rows for table, rows in found.items() if rows}
        self._definitions[name] = await plain.fetchval(_DEFINITION)
        return name

    async def _unsound(self, schema: str) -> Sequence[str]:
        plain = await self._administrator()
        await plain.execute(f"SET search_path = {schema}")
        return [row[0] for row in await plain.fetch(UNSOUND)]

    async def _fetched(self, statements: Sequence[str]) -> Sequence[asyncpg.Record]:
        plain, rows = await self._administrator(), list[asyncpg.Record]()
        for each in statements:
            rows = await plain.fetch(each)
        return rows

    async def _emptied(self, schemas: Sequence[str]) -> None:
        plain = await self._administrator()
        for _ in range(_ATTEMPTS):
            if not await plain.fetchval(_OTHERS, USER):
                break
            await asyncio.sleep(_PAUSE)
        else:
            return
        for schema in schemas:
            await plain.execute(f"SET search_path = {schema}")
            as_it_was = await plain.fetchval(_DEFINITION) == self._definitions[schema]
            if as_it_was and await plain.fetchval(_LARGEST) < _LARGE:
                await self._empty(plain)
                self._free.append(schema)

    async def _empty(self, plain: Plain) -> None:
        async with plain.transaction():
            await plain.execute(
                f"SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '1s'; {_EMPTY}"
            )
            for table, rows in self._first_rows.items():
                told = f"json_populate_recordset(NULL::{table}, $1)"
                await plain.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {told}", rows)
            await plain.execute(_OTHER_LOG)


class Taken:
    """The ready schemas of one test, which gives all back in the end."""

    def __init__(self, ready: ReadySchemas) -> None:
        """Take none yet."""
        self._ready = ready
        self._schemas: dict[Path, str] = {}

    def option(self, folder: Path) -> str:
        """Return the storage option of a folder, with a schema that belongs to it."""
        if folder not in self._schemas:
            self._schemas[folder] = self._ready.take()
        return self._ready.option(self._schemas[folder])

    def unsound(self, folder: Path) -> Sequence[str]:
        """Return what is not as it must be in the schema of a folder."""
        return self._ready.unsound(self._schemas[folder])

    def give_back(self) -> None:
        """Have others use them."""
        self._ready.give_back([*self._schemas.values()])
