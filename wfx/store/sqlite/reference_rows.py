"""Reader of a database file of the reference implementation (rest-api section 15)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from wfx.store.dump import Header, Record
from wfx.store.reference_records import (
    ReferenceEntry,
    ReferenceJob,
    ReferenceWorkflow,
    header_of,
    records_of,
)

_SIDE_BY_SIDE = (
    "CREATE TEMP TABLE job_tags AS SELECT job_id AS job, name FROM tag_jobs JOIN tag ON tag.id = tag_id",
    "CREATE INDEX temp.job_tags_job ON job_tags (job)",
    "CREATE TEMP TABLE entries AS SELECT job_history AS job, id FROM history",
    "CREATE INDEX temp.entries_job ON entries (job, id)",
)
_COUNTS = """
SELECT (SELECT count(*) FROM workflow), (SELECT count(*) FROM job),
    (SELECT count(*) FROM history WHERE job_history IN (SELECT id FROM job))
"""
_JOBS = """
SELECT id, client_id, workflow_jobs, stime, mtime, status, definition FROM job ORDER BY julianday(stime), stime, id
"""
_TAGS = "SELECT name FROM job_tags WHERE job = ?"
_ENTRIES = """
SELECT mtime, status, definition FROM entries CROSS JOIN history USING (id) WHERE entries.job = ? ORDER BY entries.id
"""


def read_all(theirs: sqlite3.Connection) -> tuple[Header, Iterator[Record]]:
    """Return header and records, within the connection's transaction; jobs are in order of creation.

    The records raise ValueError, naming it, for a row that makes no sense.
    """
    for statement in _SIDE_BY_SIDE:
        theirs.execute(statement)  # executescript would end the transaction, which keeps others from changing it
    return header_of(*theirs.execute(_COUNTS).fetchone()), records_of(_workflow_rows(theirs), _jobs(theirs))


def _jobs(theirs: sqlite3.Connection) -> Iterator[tuple[ReferenceJob, list[str], list[ReferenceEntry]]]:
    for row in theirs.execute(_JOBS):
        names = [name for (name,) in theirs.execute(_TAGS, (row[0],))]
        entries = [ReferenceEntry(*entry) for entry in theirs.execute(_ENTRIES, (row[0],))]
        yield ReferenceJob(*row), names, entries


def _workflow_rows(theirs: sqlite3.Connection) -> Iterator[ReferenceWorkflow]:
    columns = {row[1] for row in theirs.execute("PRAGMA table_info(workflow)")}
    description = "description" if "description" in columns else "NULL"
    select = f"SELECT id, name, {description}, states, transitions, groups FROM workflow ORDER BY id"  # noqa: S608 - ours
    return (ReferenceWorkflow(*row) for row in theirs.execute(select))
