"""Schema migrations, and recognition of databases of other programs."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wfx.domain.errors import StoreUnusable
from wfx.store.schema_version import newer

_log = logging.getLogger(__name__)

APPLICATION_ID = 0x57465831
"""What marks a SQLite file as ours (``PRAGMA application_id``): "WFX1"."""
_DIRECTORY = Path(__file__).parent / "migrations"
_REFERENCE_TABLES = {"schema_migrations", "tag_jobs"}
"""Tables by which the database of another implementation of this service is known (rest-api section 15)."""


class Migration(NamedTuple):
    """One step: the statements that lead from schema ``number - 1`` to ``number``."""

    number: int
    script: str


def migrations(directory: Path = _DIRECTORY) -> Sequence[Migration]:
    """Read the steps, in order, from files named ``NNNN_what.sql``."""
    return sorted(Migration(int(path.name[:4]), path.read_text(encoding="utf-8")) for path in directory.glob("*.sql"))


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration], present: int) -> None:
    """Apply the steps beyond the present version, each in one transaction with its number."""
    for step in steps:
        if step.number > present:
            _apply(connection, step)
    if steps[-1].number > present:
        fields = {"from": present, "to": steps[-1].number}
        _log.log(logging.INFO if present else logging.DEBUG, "database migrated", extra={"fields": fields})


def version_of(connection: sqlite3.Connection, steps: Sequence[Migration], name: str) -> int:
    """Return the version of the schema; 0 for an empty database.

    ``name`` is the database's in messages. Raises StoreUnusable for a database that is not ours or is newer than the
    steps. Only reads.
    """
    latest = steps[-1].number
    present = _version(connection, name)
    if present > latest:
        raise newer(name, present, latest)
    return present


def is_reference(connection: sqlite3.Connection) -> bool:
    """Tell whether it is a database of the implementation that this one is compatible with."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return tables >= _REFERENCE_TABLES and _pragma(connection, "application_id") != APPLICATION_ID


def _version(connection: sqlite3.Connection, name: str) -> int:
    owner = _pragma(connection, "application_id")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if owner == APPLICATION_ID:
        return _pragma(connection, "user_version")
    if is_reference(connection):
        raise StoreUnusable(
            f"{name} is a database of another implementation of this service; start the server on it to take it over"
        )
    if tables or owner:
        raise StoreUnusable(f"{name} is a database of another program; it was left as it is, choose another file")
    return 0


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    # Both pragmas live on the first page of the file, so they are part of the transaction.
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; {step.script}\n"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {step.number}; COMMIT;"
        )
    finally:
        if connection.in_transaction:
            connection.rollback()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
