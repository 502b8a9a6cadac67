"""Tables with sealed values, as plain ones for who reads all of them: checks and exports."""
# ruff: noqa: S608 - the texts put together are constants of this module

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from wfx.domain.errors import SealedValueUnreadable
from wfx.protection.sealing import Sealing
from wfx.store.findings import Finding, Progress, finding
from wfx.store.sqlite import key_record


class SealedTable(NamedTuple):
    """A table with values that may be sealed."""

    name: str
    number: str
    """The number of a row."""
    owner: str
    """Whose value it is; NULL where that is not known any more."""
    columns: tuple[str, ...]

    def place(self, column: str) -> str:
        """Return what values of a column are bound to."""
        return f"{self.name}.{column}"


_JOB = "(SELECT id FROM main.job WHERE number = {}.job)"
_REQUEST = "(SELECT fingerprint FROM main.bulk_request WHERE number = {}.request)"
TABLES = (
    SealedTable("job", "number", "id", ("status",)),
    SealedTable("definition", "job", _JOB.format("definition"), ("document",)),
    SealedTable("history", "number", _JOB.format("history"), ("status", "definition")),
    SealedTable("event", "seq", "job_id", ("payload",)),
    SealedTable("tombstone", "number", "id", ("definition",)),
    SealedTable("task", "id", '"key"', ("input", "result")),
    SealedTable("event_answer", "number", '"key"', ("answer",)),
    SealedTable("bulk_content", "request", _REQUEST.format("bulk_content"), ("content",)),
    SealedTable("bulk_slice", "rowid", _REQUEST.format("bulk_slice"), ("results",)),
)
SWEPT = """
WITH RECURSIVE swept_later (number) AS (
    SELECT entry FROM main.orphaned_history
    UNION
    SELECT earlier FROM main.history JOIN swept_later USING (number) WHERE earlier IS NOT NULL
)
SELECT number FROM swept_later
"""
"""History entries that nobody reads any more; whose they were may not be known."""


class OpenedTables:
    """Puts views in front of the tables of a connection, in which all values are plain."""

    def __init__(self, connection: sqlite3.Connection, sealing: Sealing | None, *, strict: bool) -> None:
        """Make the views; ``strict``: reading a damaged value fails, instead of giving ``null``."""
        self.failure: SealedValueUnreadable | None = None
        """Why reading failed."""
        self._sealing = sealing
        self._strict = strict
        # What is sorted would lie in temporary files otherwise.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("opened", 3, self._open, deterministic=True)
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table.name})")]
            values = (
                f"opened('{table.place(each)}', {table.owner}, {each}) AS {each}" if each in table.columns
                else f'"{each}"'
                for each in columns
            )  # fmt: skip
            connection.execute(f"CREATE TEMP VIEW {table.name} AS SELECT {', '.join(values)} FROM main.{table.name}")

    def _open(self, place: str, owner: str | None, value: Any) -> Any:
        if not isinstance(value, bytes):
            return value
        if owner is None or self._sealing is None:
            return "null"
        try:
            return self._sealing.open(place, owner, value).decode()
        except SealedValueUnreadable as exc:
            if self._strict:
                self.failure = exc
                raise
            return "null"


def open_tables(
    connection: sqlite3.Connection, name: str, sealing: Sealing | None, *, strict: bool
) -> OpenedTables | None:
    """Have all values of a database read as plain ones; None if nothing in it is sealed.

    Raises StoreUnusable if a key is missing; ``name`` is the database's in messages.
    """
    used = key_record.read(connection)
    used.require(sealing, name)
    return OpenedTables(connection, sealing, strict=strict) if used.check_values else None


def check_sealed(
    sealing: Sealing | None,
) -> Callable[[sqlite3.Connection, Progress], Iterator[Finding]]:
    """Make the check that opens each sealed value."""

    def check(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
        for number, table in enumerate(TABLES if sealing is not None else ()):
            progress("sealed values", number, len(TABLES))
            for column in table.columns:
                yield from _damaged(connection, sealing, table, column)

    return check


def _damaged(
    connection: sqlite3.Connection, sealing: Sealing | None, table: SealedTable, column: str
) -> Iterator[Finding]:
    sql = f"SELECT {table.number}, {table.owner}, {column} FROM main.{table.name} WHERE typeof({column}) = 'blob'" + (
        f" AND {table.number} NOT IN ({SWEPT})" if table.name == "history" else ""
    )
    with closing(connection.execute(sql)) as rows:
        for number, owner, value in rows:
            if owner is None or sealing is None:
                continue
            try:
                sealing.open(table.place(column), owner, value)
            except SealedValueUnreadable as exc:
                yield finding("sealed_value", f"{table.name} {number}", f"a {column} that its key opens", exc)
