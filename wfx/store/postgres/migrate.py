"""Schema migrations, safe with several servers that start at once, and recognition of databases of other programs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL

_log = logging.getLogger(__name__)

_LOCK = 0x57465831
"""The advisory lock that who migrates holds: "WFX1"."""
_DIRECTORY = Path(__file__).parent / "migrations"
VERSION_TABLE = "wfx_schema"
"""The table of one row with the version, by which a database is known as ours."""
_OURS = ("log", "writer", "workflow", "current_workflow", "job", "history", "event", "consumer", "lease", "rate_bucket")
_TABLES = "SELECT relname FROM pg_class WHERE pg_table_is_visible(oid) AND relkind IN ('r', 'p') AND relname = ANY ($1)"


class Migration(NamedTuple):
    """One step: the statements that lead from schema ``number - 1`` to ``number``."""

    number: int
    script: str


class UnfinishedImport(NamedTuple):
    """How far an import has come."""

    header: str
    """What it is of."""
    records: int
    """How many are written."""
    digest: str
    """Of these records."""


def migrations(directory: Path = _DIRECTORY) -> Sequence[Migration]:
    """Read the steps, in order, from files named ``NNNN_what.sql``."""
    return sorted(Migration(int(path.name[:4]), path.read_text(encoding="utf-8")) for path in directory.glob("*.sql"))


async def migrate(plain: Plain, steps: Sequence[Migration], name: str) -> None:
    """Bring the database to the newest schema, in one transaction; others who want to wait meanwhile.

    ``name`` is the database's in messages. Raises StoreUnusable for one that is not ours, or newer than the steps.
    """
    async with plain.transaction():
        await plain.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        present, latest = await _version(plain, name), steps[-1].number
        if present > latest:
            raise StoreUnusable(
                f"the database {name} has schema version {present}, but this program knows only up to {latest}; "
                "use a newer program, or restore a backup made before the upgrade"
            )
        for step in steps:
            if step.number > present:
                await plain.execute(step.script)
        if latest > present:
            await plain.execute(f"UPDATE {VERSION_TABLE} SET version = $1", latest)  # noqa: S608 - a constant
    if latest > present:
        fields = {"from": present, "to": latest}
        _log.log(logging.INFO if present else logging.DEBUG, "database migrated", extra={"fields": fields})


async def import_of(plain: Plain) -> UnfinishedImport | None:
    """Tell of an import that has begun here and is not finished."""
    if await plain.fetchval("SELECT to_regclass('import_progress')") is None:
        return None
    return UnfinishedImport(*(await plain.fetchrow(SQL["import_of"]) or ("", 0, "")))


async def _version(plain: Plain, name: str) -> int:
    """Return the version of the schema; 0 for a database without tables of ours, which is marked as ours then."""
    tables = {row[0] for row in await plain.fetch(_TABLES, [*_OURS, VERSION_TABLE, "schema_migrations", "tag_jobs"])}
    if VERSION_TABLE in tables:
        version: int = await plain.fetchval(f"SELECT version FROM {VERSION_TABLE}")  # noqa: S608 - a constant
        return version
    if tables >= {"schema_migrations", "tag_jobs"}:
        raise StoreUnusable(
            f"{name} is a database of another implementation of this service, which cannot be taken over from "
            "PostgreSQL yet; choose an empty database"
        )
    if tables:
        raise StoreUnusable(
            f"{name} is a database of another program: it has a table {min(tables)}; it was left as it is, choose "
            "another database"
        )
    await plain.execute(
        f"CREATE TABLE {VERSION_TABLE} (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint)"
    )
    await plain.execute(f"INSERT INTO {VERSION_TABLE} (version) VALUES (0)")  # noqa: S608 - a constant
    return 0
