"""Figures of the database: numbers of jobs, and sizes; read in a connection's thread."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from wfx.store.figures import DatabaseFigures, JobCounts
from wfx.store.sqlite.statements import SQL

_PRAGMAS = ("page_size", "page_count", "freelist_count", "journal_mode")


def count_jobs(connection: sqlite3.Connection) -> JobCounts:
    """Count the jobs by workflow and group: in the index of states, without a look at any job."""
    return {(workflow, group): number for workflow, group, number in connection.execute(SQL["job_counts"])}


def describe(connection: sqlite3.Connection, path: Path | None, connections: int) -> DatabaseFigures:
    """Tell the sizes of the database's files, or of its memory if it has none, and how it is made up."""
    details = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
    sizes = {"database": details["page_size"] * details["page_count"]}
    if path is not None:
        with suppress(OSError):  # there is none after an orderly stop, until something is written
            sizes["wal"] = Path(f"{path}-wal").stat().st_size
    (tombstones,) = connection.execute(SQL["count_tombstones"]).fetchone()
    details |= {"kind": "sqlite", "version": sqlite3.sqlite_version}
    return DatabaseFigures(connections, sizes, details, tombstones)
