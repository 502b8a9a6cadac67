"""Tables with sealed values, for who goes through all of them."""
# ruff: noqa: S608 - the texts put together are constants of this module

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wfx.domain.errors import SealedValueUnreadable
from wfx.protection.sealing import MARK
from wfx.store.findings import Finding, Progress, finding
from wfx.store.postgres.blocking import BlockingConnection
from wfx.store.postgres.sealed_rows import sealing_of

SEALED = f"E'\\x{ord(MARK):02x}'"
"""What sealed values begin with, in SQL."""


class SealedTable(NamedTuple):
    """A table with values that may be sealed."""

    name: str
    number: tuple[str, ...]
    """The columns that number its rows."""
    owner: str
    """Whose value it is; NULL where that is not known any more, and nobody reads it."""
    columns: tuple[str, ...]
    size: str = ""
    """The column with the bytes of the value, if there is one."""

    def place(self, column: str) -> str:
        """Return what values of a column are bound to."""
        return f"{self.name}.{column}"


TABLES = (
    SealedTable("job", ("number",), "id", ("status", "definition")),
    SealedTable("history", ("job", "version"), "(SELECT id FROM job WHERE number = job)", ("status", "definition")),
    SealedTable("event", ("seq",), "job_id", ("payload",)),
    SealedTable("tombstone", ("number",), "id", ("definition",)),
    SealedTable("task", ("id",), "key", ("input", "result")),
    SealedTable("event_answer", ("number",), "key", ("answer",), size="size"),
    SealedTable("bulk_request", ("number",), "key", ("content",)),
    SealedTable(
        "bulk_slice", ("request", "first"), "(SELECT key FROM bulk_request WHERE number = request)", ("results",)
    ),
)


def check_sealed(connection: BlockingConnection, progress: Progress) -> Iterator[Finding]:
    """Open each sealed value, and yield what cannot be."""
    sealing = sealing_of(connection.plain)
    if sealing is None:
        return
    for done, table in enumerate(TABLES):
        progress("sealed values", done, len(TABLES))
        for column in table.columns:
            largest = f"SELECT max(octet_length({column})) FROM {table.name}"
            sql = (
                f"SELECT concat_ws(', ', {', '.join(table.number)}), {table.owner}, {column} FROM {table.name} "
                f"WHERE substr({column}, 1, 1) = {SEALED} ORDER BY {', '.join(table.number)}"
            )
            for number, owner, value in connection.rows(sql, at_once=connection.at_once(largest)):
                if owner is None:
                    continue
                try:
                    sealing.open_text(table.place(column), owner, value)
                except SealedValueUnreadable as exc:
                    yield finding("sealed_value", f"{table.name} {number}", f"a {column} that its key opens", exc)
