"""Rows with sealed values: which columns they are, and how rows are sealed and opened.

A sealed value is a BLOB in a column of TEXT. A connection without keys has none of it: what it reads and writes goes
by here untouched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from wfx.protection.sealing import Sealing
from wfx.store.readable_jobs import readable_jobs
from wfx.store.sqlite.rows import SIZE, Row


class SealingConnection(sqlite3.Connection):
    """A connection that has keys."""

    sealing: Sealing


class Columns(NamedTuple):
    """Which values of a row are sealed."""

    owner: int
    """Where the row has the owner's id."""
    places: Sequence[tuple[int, str]]
    """Where the values are, and the table and column that they are of."""
    text: bool = False
    """Whether readers take the plain values as text, and not as bytes."""


JOB = Columns(1, ((9, "job.status"), (10, "definition.document")))
LISTED_JOB = Columns(1, ((4, "job.status"),))
EVENT = Columns(3, ((6, "event.payload"),), text=True)
TOMBSTONE = Columns(0, ((7, "tombstone.definition"),))
TASK = Columns(1, ((8, "task.input"), (9, "task.result")), text=True)
ANSWER = Columns(0, ((1, "event_answer.answer"),), text=True)
BULK_CONTENT = Columns(0, ((1, "bulk_content.content"),), text=True)
ENTRY = ((1, "history.status"), (2, "history.definition"))
"""Of the row of a history entry, which does not name its owner."""

_WRITTEN: Mapping[str, Columns] = {
    "insert_jobs": Columns(1, ((9, "job.status"),)),
    "update_jobs": Columns(0, ((6, "job.status"),)),
    "insert_history": Columns(2, ((5, "history.status"), (6, "history.definition"))),
    "put_definitions": Columns(0, ((1, "definition.document"),)),
    "bury_jobs": Columns(0, ((7, "tombstone.definition"),)),
    "insert_events": Columns(3, ((6, "event.payload"),)),
    "insert_tasks": Columns(0, ((7, "task.input"),)),
    "insert_event_answers": Columns(0, ((3, "event_answer.answer"),)),
}
"""Of rows to write, by the name of their statement. The owner is an id, or the number of a job."""


def sealing_of(connection: sqlite3.Connection) -> Sealing | None:
    """Return the keys of a connection, if it has any."""
    return connection.sealing if isinstance(connection, SealingConnection) else None


def writing_connection(path: Path, sealing: Sealing | None) -> sqlite3.Connection:
    """Open a file by hand, with keys if there are any."""
    if sealing is None:
        return sqlite3.connect(path, isolation_level=None)
    connection = sqlite3.connect(path, isolation_level=None, factory=SealingConnection)
    connection.sealing = sealing
    return connection


def sealed(sealing: Sealing | None, name: str, rows: Sequence[Row], ids: Mapping[int, str] = {}) -> Sequence[Row]:
    """Seal the rows of a statement; ``ids`` has those of the jobs that it names by number."""
    if sealing is None or not sealing.seals or name not in _WRITTEN:
        return rows
    (owner, places, _), seal = _WRITTEN[name], sealing.seal
    found = []
    for row in rows:
        values, owner_id = [*row], row[owner]
        if isinstance(owner_id, int):
            owner_id = ids[owner_id]
        for index, place in places:
            if (text := values[index]) is not None:
                values[index] = seal(place, owner_id, text.encode())
        found.append(tuple(values))
    return found


def sealed_text(sealing: Sealing | None, place: str, owner: str, text: str | None) -> Any:
    """Seal one value."""
    if text is None or sealing is None or not sealing.seals:
        return text
    return sealing.seal(place, owner, text.encode())


def opened(connection: sqlite3.Connection, columns: Columns, rows: Iterable[Row]) -> Iterable[Row]:
    """Open the sealed values of rows. Raises SealedValueUnreadable."""
    sealing = sealing_of(connection)
    if sealing is None:
        return rows
    return (opened_row(sealing, columns, row) for row in rows)


def opened_row(sealing: Sealing, columns: Columns, row: Row) -> Row:
    """Open the sealed values of a row. Raises SealedValueUnreadable."""
    owner, places, text = columns
    values = list(row)
    for index, place in places:
        values[index] = _opened(sealing, place, row[owner], values[index], text=text)
    return tuple(values)


def opened_jobs(sealing: Sealing, rows: Sequence[Row], *, alone: bool) -> tuple[list[Row], dict[str, int]]:
    """Open the rows of jobs; return those that can be, and the sizes of the others by id.

    Raises SealedValueUnreadable for one that is read ``alone``: others must not fail for it.
    """
    return readable_jobs(rows, partial(opened_row, sealing, JOB), SIZE, alone=alone)


def opened_entry(sealing: Sealing | None, owner: str, row: Row) -> Row:
    """Open the sealed values of a history entry of the job with this id. Raises SealedValueUnreadable."""
    if sealing is None:
        return row
    values = list(row)
    for index, place in ENTRY:
        values[index] = _opened(sealing, place, owner, values[index], text=False)
    return tuple(values)


def opened_text(sealing: Sealing | None, place: str, owner: str, value: Any) -> str:
    """Open one value. Raises SealedValueUnreadable."""
    text: str = value if sealing is None else _opened(sealing, place, owner, value, text=True)
    return text


def _opened(sealing: Sealing, place: str, owner: str, value: Any, *, text: bool) -> Any:
    if not isinstance(value, bytes):  # plain text, or nothing
        return value
    plain = sealing.open(place, owner, value)
    return plain.decode() if text else plain
