"""What is read, inside a reading connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wfx.domain.errors import BehindHorizon, JobNotFound, NotOnThisLog, WorkflowNotFound
from wfx.domain.job import Event, Former, Job
from wfx.domain.query import JobQuery, Page, Paging
from wfx.domain.workflow import Workflow
from wfx.store.plan import Stored
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.position import Position
from wfx.store.sqlite.rows import Row, event_of, former_of, job_of, stored_of, workflow_of_event, workflow_of_job
from wfx.store.sqlite.selection import bounds, select
from wfx.store.sqlite.statements import SQL, for_items
from wfx.store.sqlite.workflows import WorkflowCache, load_numbered, read

_HIGHEST = 2**63 - 1


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the database throughout several statements."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


class Reading:
    """The reads of one store. Every method belongs into the thread of the connection that it is given."""

    def __init__(self, cache: WorkflowCache) -> None:
        """Share the cache of workflows."""
        self._cache = cache

    def jobs(self, connection: sqlite3.Connection, ids: Sequence[str]) -> list[Stored | JobNotFound]:
        """Return for each id its job or what to raise for it."""
        with _snapshot(connection):
            rows = list(for_items(connection, "jobs_by_id", list(set(ids))))
            workflows = self._workflows(connection, set(map(workflow_of_job, rows)))
        found = {stored.job.id: stored for stored in (stored_of(row, workflows) for row in rows)}
        return [found.get(job_id) or JobNotFound() for job_id in ids]

    def history(self, connection: sqlite3.Connection, job_id: str, limit: int) -> list[Former]:
        """Return the newest entries of a job."""
        with _snapshot(connection):
            newest = connection.execute(SQL["newest_history"], (job_id,)).fetchone()
            if newest is None:
                raise JobNotFound
            return [former_of(row) for row in connection.execute(SQL["history"], (newest[0], max(limit, 0)))]

    def query_jobs(self, connection: sqlite3.Connection, query: JobQuery, bitmaps: Bitmaps | None = None) -> Page[Job]:
        """Return a page of jobs."""
        with _snapshot(connection):
            selection = select(connection, query, bitmaps)
            jobs = self._jobs_of(connection, selection.page(connection, query.paging))
            total = selection.total(connection) if query.paging.with_total else None
        return Page(tuple(jobs), total)

    def pages(self, connection: sqlite3.Connection, queries: Sequence[JobQuery]) -> list[Page[Job]]:
        """Return a page for each query."""
        return [self.query_jobs(connection, query) for query in queries]

    def workflow(self, connection: sqlite3.Connection, name: str) -> Workflow:
        """Return the workflow with this name."""
        for number, document in for_items(connection, "workflows_by_name", [name]):
            return self._workflow(number, document)
        raise WorkflowNotFound(name)

    def query_workflows(self, connection: sqlite3.Connection, paging: Paging) -> Page[Workflow]:
        """Return a page of workflows."""
        name = "workflows_page_descending" if paging.descending else "workflows_page"
        with _snapshot(connection):
            rows = connection.execute(SQL[name], bounds(paging)).fetchall()
            total = connection.execute(SQL["workflows_total"]).fetchone()[0] if paging.with_total else None
        return Page(tuple(self._workflow(number, document) for number, document in rows), total)

    def log(self, connection: sqlite3.Connection, after: int, limit: int) -> list[Event]:
        """Return events after a position."""
        with _snapshot(connection):
            rows = connection.execute(SQL["events_after"], (min(max(after, 0), _HIGHEST), max(limit, 0))).fetchall()
            if not rows or rows[0][0] != after + 1:
                _require_on_log(Position.read(connection), after)
            workflows = self._workflows(connection, set(map(workflow_of_event, rows)))
        return [event_of(row, workflows) for row in rows]

    def ping(self, connection: sqlite3.Connection) -> None:
        """Read something that is always there."""
        connection.execute(SQL["ping"]).fetchone()

    def _jobs_of(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[Job]:
        workflows = self._workflows(connection, set(map(workflow_of_job, rows)))
        return [job_of(row, workflows) for row in rows]

    def _workflow(self, number: int, document: str) -> Workflow:
        known = self._cache.numbered([number])
        if number not in known:
            known[number] = read(number, document)
            self._cache.keep(known[number])
        return known[number]

    def _workflows(self, connection: sqlite3.Connection, numbers: set[int]) -> dict[int, Workflow]:
        known = self._cache.numbered(numbers)
        workflows = load_numbered(connection, numbers, known)
        for number in numbers - known.keys():
            self._cache.keep(workflows[number])
        return workflows


def _require_on_log(position: Position, after: int) -> None:
    """Raise unless ``after`` is the head: there is nothing behind it, so it must be at the end, not elsewhere."""
    if not 0 <= after <= position.head:
        raise NotOnThisLog(position.head, position.log_id)
    if after < position.horizon:
        raise BehindHorizon(position.horizon + 1)
