"""Stores on the PostgreSQL of the tests: each has a schema of its own in the test file's database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from postgres_server import USER, Postgres

from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.sealed_rows import plain_size
from wfx.store.postgres.target import read_target

_UNSOUND = {
    "events without gaps": "SELECT seq FROM event, log WHERE seq NOT BETWEEN horizon + 1 AND head "
    "UNION ALL SELECT head FROM log WHERE head - horizon <> (SELECT count(*) FROM event)",
    "a history entry for each change": "SELECT number FROM job WHERE version - 1 - history_dropped <> "
    "(SELECT count(*) FROM history WHERE history.job = job.number)",
    "sizes of histories": "SELECT number FROM job WHERE history_bytes <> (SELECT coalesce(sum("
    f"{plain_size('status')} + coalesce({plain_size('definition')}, 0)), 0) "
    "FROM history WHERE history.job = job.number)",
    "histories of jobs": "SELECT job FROM history WHERE job NOT IN (SELECT number FROM job) "
    "AND job NOT IN (SELECT job FROM left_history)",
    "workflows of events": "SELECT seq FROM event WHERE workflow NOT IN (SELECT number FROM workflow)",
    "consumers on the log": "SELECT name FROM consumer, log WHERE position NOT BETWEEN horizon AND head",
    "writers that are gone": "SELECT id FROM writer",
}


UNSOUND = " UNION ALL ".join(f"SELECT '{what}' WHERE EXISTS ({query})" for what, query in _UNSOUND.items())
"""What is not as it must be in the schema that is looked at."""


EMPTY = pytest.mark.parametrize("tables", [False], ids=["empty"])
"""Marks tests of PostgreSQL that begin with a schema without tables."""


def new_name() -> str:
    """Return a name for a schema."""
    return f"s{uuid4().hex[:16]}"


def schemas(postgres: Postgres, database: str) -> Callable[[Path], str]:
    """Return what makes the storage option of a folder, with a schema without tables that belongs to it."""

    def option(folder: Path) -> str:
        note = folder / "schema"
        if not note.exists():
            note.write_text(new_name())
            postgres.sql(f"CREATE SCHEMA {note.read_text()} AUTHORIZATION {USER}", database)
        return postgres.conninfo(database, options=f"-c search_path={note.read_text()}")

    return option


async def unsound(option: str) -> list[str]:
    """Return what is not as it must be in a database that no store has open."""
    plain = await Connector(read_target(option))()
    try:
        return [row[0] for row in await plain.fetch(UNSOUND)]
    finally:
        await plain.close()
