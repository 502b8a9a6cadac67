"""Table that says how far an import has come; no server opens a database that has it, or changes anything there."""

from __future__ import annotations

from typing import NamedTuple

from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL


class UnfinishedImport(NamedTuple):
    """How far an import has come."""

    header: str
    """What it is of."""
    records: int
    """How many are written."""
    digest: str
    """Of these records."""


def under_way() -> StoreUnavailable:
    """Say that servers can change nothing now."""
    return StoreUnavailable("an import into the database is under way; nothing can be changed until it has ended")


async def import_of(plain: Plain) -> UnfinishedImport | None:
    """Tell of an import that has begun here and is not finished."""
    if await plain.fetchval("SELECT to_regclass('import_progress')") is None:
        return None
    return UnfinishedImport(*(await plain.fetchrow(SQL["import_of"]) or ("", 0, "")))
