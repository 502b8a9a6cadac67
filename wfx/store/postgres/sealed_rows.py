"""Rows with sealed values: which columns they are, and how rows are sealed and opened.

All columns are of text, so a sealed value is a text, too, which begins as no plain one does. A connection without keys
has none of it: what it reads and writes goes by here untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from wfx.domain.errors import SealedValueUnreadable
from wfx.protection.sealing import HEAD, MARK, OVERHEAD, Sealing
from wfx.store.postgres.driver import DriverConnection
from wfx.store.postgres.rows import SIZE, Row
from wfx.store.readable_jobs import readable_jobs


class SealingConnection(DriverConnection):
    """A connection that has keys."""

    __slots__ = ("sealing",)
    sealing: Sealing


class Columns(NamedTuple):
    """Which values of a row are sealed."""

    owner: int
    """Where the row has the owner's id."""
    places: Sequence[tuple[int, str]]
    """Where the values are, and the table and column that they are of."""
    is_read_often: bool = False
    """Whether the same values are read again and again."""


JOB = Columns(1, ((10, "job.status"), (11, "job.definition")), is_read_often=True)
LISTED_JOB = Columns(1, ((6, "job.status"),), is_read_often=True)
ENTRY = Columns(7, ((3, "history.status"), (4, "history.definition")))
EVENT = Columns(3, ((6, "event.payload"),))
TOMBSTONE = Columns(0, ((7, "tombstone.definition"),))
TASK = Columns(1, ((8, "task.input"), (9, "task.result")))
DUMPED_TASK = Columns(0, ((7, "task.input"), (8, "task.result")))
ANSWER = Columns(0, ((1, "event_answer.answer"),))
BULK_CONTENT = "bulk_request.content"
BULK_RESULTS = "bulk_slice.results"
_CHANGED_ID, _CHANGED_VERSION, _CHANGED_STATUS, _CHANGED_DEFINITION = 1, 3, 10, 12
_FRESH, _FRESH_STATUS, _FRESH_DEFINITION = 16, 28, 29
_EVENT_JOB, _EVENT_PAYLOAD = 34, 37
_ENTRY_JOB, _ENTRY_PLACE, _ENTRY_STATUS, _ENTRY_DEFINITION = 40, 41, 44, 45
"""Where the values of a batch (``batch_values.py``) have these columns."""


def sealing_of(plain: object) -> Sealing | None:
    """Return the keys of a connection, if it has any."""
    # Not isinstance: to the driver, each of its connections is an instance of each class of connections.
    return plain.sealing if type(plain) is SealingConnection else None


def plain_size(column: str) -> str:
    """Make the SQL for the bytes that a value of a column has when it is opened."""
    return (
        f"CASE WHEN substr({column}, 1, 1) = E'\\x{ord(MARK):02x}' "
        f"THEN (octet_length({column}) - {HEAD}) * 3 / 4 - {OVERHEAD - HEAD} ELSE octet_length({column}) END"
    )


def sealed_text(sealing: Sealing | None, place: str, owner: str, text: str) -> str:
    """Seal one value."""
    return text if sealing is None or not sealing.seals else sealing.seal_text(place, owner, text)


def opened_text(sealing: Sealing | None, place: str, owner: str, text: str) -> str:
    """Open one value. Raises SealedValueUnreadable."""
    return text if sealing is None else sealing.open_text(place, owner, text)


def sealed_batch(sealing: Sealing | None, values: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Seal the values of a batch, column by column."""
    if sealing is None or not sealing.seals:
        return values
    columns = [*values]
    changed, fresh = values[_CHANGED_ID], values[_FRESH + 1]

    def seal(column: int, places: Iterable[str], owners: Sequence[str]) -> None:
        columns[column] = [
            None if text is None else sealing.seal_text(place, owner, text)
            for place, owner, text in zip(places, owners, values[column], strict=False)
        ]

    kept = ["job.definition" if version else "tombstone.definition" for version in values[_CHANGED_VERSION]]
    seal(_CHANGED_STATUS, _all("job.status", changed), changed)
    for job_id, text, plain in zip(changed, columns[_CHANGED_STATUS], values[_CHANGED_STATUS], strict=True):
        sealing.keep(("job.status", job_id, text), plain)  # the next change of the job reads it
    seal(_CHANGED_DEFINITION, kept, changed)
    seal(_FRESH_STATUS, _all("job.status", fresh), fresh)
    seal(_FRESH_DEFINITION, _all("job.definition", fresh), fresh)
    seal(_EVENT_PAYLOAD, _all("event.payload", values[_EVENT_JOB]), values[_EVENT_JOB])
    if values[_ENTRY_JOB]:
        ids = {**dict(zip(values[0], changed, strict=True)), **_by_place(values[_FRESH], fresh)}
        keys = zip(values[_ENTRY_JOB], values[_ENTRY_PLACE], strict=True)
        owners = [ids[number if place is None else (place,)] for number, place in keys]
        seal(_ENTRY_STATUS, _all("history.status", owners), owners)
        seal(_ENTRY_DEFINITION, _all("history.definition", owners), owners)
    return columns


def opened(sealing: Sealing | None, columns: Columns, rows: Iterable[Row]) -> Sequence[Row]:
    """Open the sealed values of rows. Raises SealedValueUnreadable."""
    if sealing is None:
        return rows if isinstance(rows, Sequence) else list(rows)
    return [opened_row(sealing, columns, row) for row in rows]


def opened_row(sealing: Sealing | None, columns: Columns, row: Row) -> Row:
    """Open the sealed values of a row. Raises SealedValueUnreadable."""
    if sealing is None:
        return row
    values, owner = [*row], row[columns.owner]
    open_text = sealing.known_text if columns.is_read_often else sealing.open_text
    for index, place in columns.places:
        if (text := values[index]) is not None:
            values[index] = open_text(place, owner, text)
    return values


def as_far_as_readable(sealing: Sealing | None, columns: Columns, row: Row) -> Row:
    """Open the sealed values of a row, with ``null`` for those that cannot be: another check names these."""
    if sealing is None:
        return row
    values = [*row]
    for place in columns.places:
        try:
            values[:] = opened_row(sealing, columns._replace(places=[place]), values)
        except SealedValueUnreadable:
            values[place[0]] = "null"
    return values


def opened_jobs(sealing: Sealing | None, rows: Sequence[Row], *, alone: bool) -> tuple[Sequence[Row], dict[str, int]]:
    """Open the rows of jobs; return those that can be, and the sizes of the others by id.

    Raises SealedValueUnreadable for one that is read ``alone``: others must not fail for it.
    """
    if sealing is None:
        return rows, {}
    return readable_jobs(rows, partial(opened_row, sealing, JOB), SIZE, alone=alone)


def _all(place: str, owners: Sequence[str]) -> Iterable[str]:
    return [place] * len(owners)


def _by_place(places: Sequence[int], ids: Sequence[str]) -> Mapping[Any, str]:
    """Return the ids of new jobs by their places in the batch, which are not taken for numbers of jobs."""
    return {(place,): job_id for place, job_id in zip(places, ids, strict=True)}
