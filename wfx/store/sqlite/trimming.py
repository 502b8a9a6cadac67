"""Writes a batch, and limits the histories of its jobs: drops the middle of one that is too long or too large.

The dropped entries are deleted in pieces, like the histories of deleted jobs
(``spec/decisions/0025-bounded-histories.md``). Which ones they are, :mod:`wfx.store.history_bounds` tells.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from wfx.store.bulk import SliceRecord
from wfx.store.history_bounds import Link, cut_of, marker_status
from wfx.store.operations import Checkpoint
from wfx.store.sqlite import bulk, rules
from wfx.store.sqlite.connection import transaction
from wfx.store.sqlite.numbering import NumberedJob
from wfx.store.sqlite.sealed_rows import opened_text, sealed_text, sealing_of
from wfx.store.sqlite.statements import SQL, Statement

_STATUS = "history.status"


def write(
    connection: sqlite3.Connection,
    statements: Iterable[Statement],
    long_histories: Iterable[NumberedJob],
    checkpoint: Checkpoint | None,
) -> None:
    """Execute a batch's statements in one transaction, and bring long histories of its jobs within their bounds.

    Raises what :meth:`wfx.store.backend.Backend.apply` raises where the checkpoint does not fit what is there.
    """
    with transaction(connection):
        if isinstance(checkpoint, SliceRecord):
            bulk.write_slice(connection, checkpoint)
        elif checkpoint is not None:
            rules.write(connection, checkpoint)
        for sql, values in statements:
            connection.execute(sql, values)
        for job in long_histories:
            _trim(connection, job)


def _trim(connection: sqlite3.Connection, job: NumberedJob) -> None:
    cut = cut_of([Link(*row) for row in connection.execute(SQL["history_links"], (job.newest_entry,))])
    if cut is None:
        return
    size = _mark(connection, job, cut.marker, cut.dropped)
    connection.execute(SQL["cut_history"], (cut.marker.number, cut.newest.number))
    connection.execute(SQL["cut_history"], (None, cut.middle[-1].number))
    connection.execute(SQL["leave_entries"], (cut.middle[0].number,))
    job.history_bytes -= sum(link.size for link in cut.middle) + cut.marker.size - size
    job.history_dropped += len(cut.middle)
    connection.execute(SQL["trimmed_job"], (job.history_bytes, job.history_dropped, job.number))


def _mark(connection: sqlite3.Connection, job: NumberedJob, marker: Link, dropped: int) -> int:
    """Make the entry the marker of ``dropped`` entries, itself among them; return its new bytes."""
    (text,) = connection.execute(SQL["entry_status"], (marker.number,)).fetchone()
    sealing, owner = sealing_of(connection), "" if job.after is None else job.after.id
    status = marker_status(opened_text(sealing, _STATUS, owner, text).encode(), dropped)
    connection.execute(SQL["mark_entry"], (sealed_text(sealing, _STATUS, owner, status.decode()), marker.number))
    return len(status)
