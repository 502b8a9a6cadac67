"""Reader of a PostgreSQL database of the reference implementation (decision 71)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wfx.store.dump import Header, Record, SourceRefused
from wfx.store.findings import UNREADABLE
from wfx.store.job_rules import Groups
from wfx.store.postgres.blocking import SMALL_ROWS_AT_ONCE, BlockingConnection
from wfx.store.postgres.migrate import VERSION_TABLE
from wfx.store.postgres.statements import SQL
from wfx.store.reference_records import (
    TABLES,
    ReferenceEntry,
    ReferenceJob,
    ReferenceWorkflow,
    header_of,
    in_words,
    records_of,
    require_known,
)

_KNOWN = (20230404121326, 20231026152156, 20260331155900)
"""The versions of its schema; only the first has no descriptions of workflows, and the last adds an index."""


def is_theirs(connection: BlockingConnection) -> bool:
    """Tell whether the database is one of the reference; where our tables are too, it is ours."""
    names = {row[0] for row in connection.fetch(SQL["tables_of"], [*TABLES, VERSION_TABLE])}
    return names == TABLES


def read_all(connection: BlockingConnection) -> tuple[Header, Iterator[Record]]:
    """Return header and records of the state that the connection sees; jobs are in order of creation.

    Raises StoreUnusable for a version that is not known; so do the records, naming it, for a row that makes no sense.
    """
    versions = [tuple(row) for row in connection.fetch("SELECT version, dirty FROM schema_migrations")]
    require_known(connection.name, versions, _KNOWN)
    for setting in ("datestyle = 'ISO'", "timezone = 'UTC'"):
        connection.run(connection.plain.execute(f"SET LOCAL {setting}"))
    ((workflows, jobs, entries),) = connection.fetch(SQL["reference_counts"])
    return header_of(workflows, jobs, entries), _readable(connection)


def _readable(connection: BlockingConnection) -> Iterator[Record]:
    try:
        yield from records_of(_workflow_rows(connection), _jobs(connection))
    except UNREADABLE as exc:
        reason = in_words(exc)
        raise SourceRefused(f"cannot read {connection.name}, a database of another implementation: {reason}") from exc


def _jobs(connection: BlockingConnection) -> Iterator[tuple[ReferenceJob, list[str], list[ReferenceEntry]]]:
    names = Groups(connection.rows(SQL["reference_tags"], at_once=SMALL_ROWS_AT_ONCE))
    entries = Groups(connection.rows(SQL["reference_entries"]))
    for number, *job in connection.rows(SQL["reference_jobs"]):
        history = [ReferenceEntry(*entry[1:]) for entry in entries.of(number)]
        yield ReferenceJob(*job), [name for _, name in names.of(number)], history


def _workflow_rows(connection: BlockingConnection) -> Iterator[ReferenceWorkflow]:
    for row in connection.rows(SQL["reference_workflows"]):
        members: dict[str, Any] = dict(row)
        yield ReferenceWorkflow(**members)
