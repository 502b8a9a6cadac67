"""Consistency check of each job against its tags, history and events (:mod:`wfx.store.job_rules`).

The rows of all tables are gone through side by side in order of the jobs' numbers, so one job at a time is in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from functools import lru_cache

from wfx.domain.job import Event
from wfx.domain.workflow import Workflow
from wfx.store.findings import UNREADABLE, Finding, Progress, finding
from wfx.store.job_rules import ExaminedJob, Groups, HistorySummary, check_job
from wfx.store.sqlite.rows import ANY_SIZE, EVENT_COLUMNS, SIZE, STORED_COLUMNS, Row, event_of, stored_of
from wfx.store.sqlite.statements import SQL
from wfx.store.sqlite.workflow_cache import read

_JOBS = f"SELECT {STORED_COLUMNS} FROM job LEFT JOIN definition ON definition.job = job.number ORDER BY number"  # noqa: S608
_TAGS = "SELECT job, tag FROM job_tag ORDER BY job, tag"
_ENTRIES = """
WITH RECURSIVE swept_later (number) AS (
    SELECT entry FROM orphaned_history
    UNION
    SELECT earlier FROM history JOIN swept_later USING (number) WHERE earlier IS NOT NULL
)
SELECT
    job, number, earlier, version, mtime, length(CAST(status AS BLOB)) + coalesce(length(CAST(definition AS BLOB)), 0)
FROM history WHERE number NOT IN (SELECT number FROM swept_later)
ORDER BY job, version
"""
_EVENTS = "SELECT number, seq FROM event CROSS JOIN job ON job.id = event.job_id ORDER BY number, seq"
_EVENT = f"SELECT {EVENT_COLUMNS} FROM event WHERE seq = ?"  # noqa: S608 - constants
_NUMBER, _EARLIER = 1, 2
"""Where the row of an entry has its number, and that of the one before it."""
_EVERY = 500
"""Jobs between two reports of progress."""


def check_jobs(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    """Yield what is wrong with the jobs, in order of creation."""
    total = connection.execute("SELECT count(*) FROM job").fetchone()[0]
    records = _JobRecords(connection)
    for done, row in enumerate(connection.execute(_JOBS, (ANY_SIZE,))):
        if done % _EVERY == 0:
            progress("jobs", done, total)
        where = f"job {row[0]} ({row[1]})"
        try:
            yield from records.check(row, where)
        except UNREADABLE as exc:
            yield finding("job", where, "a row that can be read, in a state of its workflow", repr(exc))
    progress("jobs", total, total)


class _JobRecords:
    """Puts records together; jobs are to be asked for in order of their numbers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._log_is_whole = connection.execute(SQL["position"]).fetchone()[1] == 0
        self._workflows = _Workflows(connection)
        self._tags, self._entries, self._events = (
            Groups(connection.execute(sql)) for sql in (_TAGS, _ENTRIES, _EVENTS)
        )

    def check(self, row: Row, where: str) -> Iterator[Finding]:
        """Yield what is wrong with the job of a row."""
        number = row[0]
        # Taken before anything can fail, so that the next job finds its own.
        tags, entries, events = (list(group.of(number)) for group in (self._tags, self._entries, self._events))
        stored = stored_of(row, self._workflows)
        job = ExaminedJob(
            stored.job,
            row[SIZE],
            stored.history_bytes,
            stored.history_dropped,
            [tag for _, tag in tags],
            [HistorySummary(version, mtime, size) for *_, version, mtime, size in entries],
            [self._event(seq) for _, seq in events],
            self._log_is_whole,
        )
        yield from check_job(job, where)
        chain = [None, *(entry[_NUMBER] for entry in entries)]
        named = [*(entry[_EARLIER] for entry in entries), stored.newest_entry]
        if named != chain:
            yield finding("job_history", where, f"the entries one after the other, {chain}", f"a chain of {named}")

    def _event(self, seq: int) -> Event:
        return event_of(self._connection.execute(_EVENT, (seq,)).fetchone(), self._workflows)


class _Workflows(Mapping[int, Workflow]):
    """The stored workflows by number, read when they are needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._read = lru_cache(maxsize=64)(self._load)

    def __getitem__(self, number: int) -> Workflow:
        return self._read(number)

    def __iter__(self) -> Iterator[int]:
        return (number for (number,) in self._connection.execute("SELECT number FROM workflow"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, number: int) -> Workflow:
        found = self._connection.execute("SELECT document FROM workflow WHERE number = ?", (number,)).fetchone()
        if found is None:
            raise KeyError(f"there is no workflow {number}")
        return read(number, found[0])
