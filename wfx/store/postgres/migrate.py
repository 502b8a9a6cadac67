"""Schema migrations, safe with servers that start at once or are at work, and recognition of others' databases.

Each step says which programs can work on the database after it: an *expanding* one only adds what older programs need
not know, and leaves that as it was; a *contracting* one takes away what only they still used.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL
from wfx.store.reference_records import TABLES as REFERENCE
from wfx.store.schema_version import newer

_log = logging.getLogger(__name__)

LOCK = 0x57465831
"""The advisory lock that who migrates holds: "WFX1"."""
_DIRECTORY = Path(__file__).parent / "migrations"
VERSION_TABLE = "wfx_schema"
"""The table of one row with the versions, by which a database is known as ours."""
_OLDEST = re.compile(r"-- oldest program: (\d+)\n")
_ATTEMPTS = 20
_PAUSE = 0.5
"""Seconds in which servers that are at work have the tables for themselves, after an attempt that was in their way."""
_LOCK_TIMEOUT = "1s"
"""How long to hold up servers that are at work before it is their turn again; they give up after five seconds."""
TABLES = (
    "log", "writer", "workflow", "current_workflow", "job", "history", "left_history", "event", "consumer", "lease",
    "rate_bucket", "job_count", "tombstone", "bulk_request", "bulk_slice", "device", "job_tag", "limit_bucket",
    "counted_tag", "tag_count", "tag_shift",
    "task", "event_answer", "score", "score_total", "sequence", "repetition",
    "script", "current_script",
)  # fmt: skip
"""All tables that the steps make."""


class Migration(NamedTuple):
    """One step: the statements that lead from schema ``number - 1`` to ``number``."""

    number: int
    script: str
    oldest: int
    """The schema that a program has to know, at least, to work on a database with this one."""


class Versions(NamedTuple):
    """Which programs a database is for."""

    present: int
    """The number of its schema."""
    oldest: int
    """The schema that a program has to know at least."""

    def accepts(self, latest: int) -> bool:
        """Tell whether a program that knows schemas up to this one can work on the database."""
        return self.oldest <= latest


def migrations(directory: Path = _DIRECTORY) -> Sequence[Migration]:
    """Read the steps, in order, from files named ``NNNN_what.sql``, whose first line says the oldest program."""
    return sorted(map(_read, directory.glob("*.sql")))


def _read(path: Path) -> Migration:
    script = path.read_text(encoding="utf-8")
    oldest = _OLDEST.match(script)
    if oldest is None:
        raise ValueError(f"{path}: the first line does not say which programs can go on, as -- oldest program: 1")
    return Migration(int(path.name[:4]), script, int(oldest[1]))


async def migrate(plain: Plain, steps: Sequence[Migration], name: str) -> None:
    """Bring the database to the newest schema, in one transaction; others who want to wait meanwhile.

    Servers that are at work go on: locks that they hold are waited for in pieces. ``name`` is the database's in
    messages. Raises StoreUnusable for one that is not ours, or for newer programs only.
    """
    for _ in range(_ATTEMPTS):
        try:
            before = await _migrate(plain, steps, name)
            break
        except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as exc:
            in_the_way = exc
            await asyncio.sleep(_PAUSE)
    else:
        raise StoreUnusable(f"cannot upgrade the database {name}, which others hold locks on: {in_the_way}")
    latest, fields = steps[-1].number, {"from": before, "to": steps[-1].number}
    if latest > before:
        _log.log(logging.INFO if before else logging.DEBUG, "database migrated", extra={"fields": fields})
    elif latest < before:
        fields = {"present": before, "known": latest}
        _log.info("the database has a newer schema, on which this release can work", extra={"fields": fields})


async def _migrate(plain: Plain, steps: Sequence[Migration], name: str) -> int:
    """Do the steps that are left, and return the version before."""
    async with plain.transaction():
        await plain.execute("SET LOCAL lock_timeout = 0")  # of one who migrates nobody knows how long it takes
        await plain.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await plain.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        versions, latest = await _versions(plain, name), steps[-1].number
        if not versions.accepts(latest):
            raise newer(name, versions.present, latest, versions.oldest)
        for step in steps:
            if step.number > versions.present:
                await plain.execute(step.script)
        if latest > versions.present:
            await plain.execute(SQL["set_versions"], latest, steps[-1].oldest)
        return versions.present


async def _versions(plain: Plain, name: str) -> Versions:
    """Return the versions of the schema; 0 for a database without tables of ours, which is marked as ours then."""
    tables = {row[0] for row in await plain.fetch(SQL["tables_of"], [*TABLES, VERSION_TABLE, *REFERENCE])}
    if VERSION_TABLE in tables:
        row = await plain.fetchrow(SQL["versions"])
        if row is None:
            raise without_version(name)
        return Versions(*row)
    if tables >= REFERENCE:
        raise of_another_implementation(name)
    if tables:
        raise StoreUnusable(
            f"{name} is a database of another program: it has a table {min(tables)}; it was left as it is, choose "
            "another database"
        )
    await plain.execute(
        f"CREATE TABLE {VERSION_TABLE} "
        "(one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL, oldest bigint NOT NULL)"
    )
    await plain.execute(f"INSERT INTO {VERSION_TABLE} (version, oldest) VALUES (0, 0)")  # noqa: S608 - a constant
    return Versions(0, 0)


def of_another_implementation(name: str) -> StoreUnusable:
    """Say that the database with this name is one of the reference."""
    return StoreUnusable(
        f"{name} is a database of another implementation of this service, which is not taken over in its place; "
        "import it into an empty database: wfx import with its address"
    )


def without_version(name: str) -> StoreUnusable:
    """Say that the row with the versions is missing, without which nobody knows what the tables are like."""
    return StoreUnusable(
        f"the table {VERSION_TABLE} of the database {name} has no row, which says the version of the tables; "
        "restore a backup"
    )
