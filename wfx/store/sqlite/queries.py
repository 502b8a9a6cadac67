"""Read queries, run in a connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

from pyroaring import BitMap64

from wfx.domain.device import Device, DeviceList, DeviceQuery
from wfx.domain.errors import BehindHorizon, JobNotFound, NotOnThisLog, SealedValueUnreadable, WorkflowNotFound
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.job_list import JobList, JobListQuery, JobSelection
from wfx.domain.json import encode
from wfx.domain.query import JobQuery, JobSummary, Page, Paging, Rest
from wfx.domain.workflow import Workflow
from wfx.store.sizes import AROUND_ENTRY, AROUND_JOB, fitting
from wfx.store.sqlite import devices, job_list
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.job_list import list_rows
from wfx.store.sqlite.job_search import bounds, rows_of, select
from wfx.store.sqlite.job_summary import counts_by_row, counts_by_state
from wfx.store.sqlite.rows import (
    SIZE,
    Position,
    Row,
    StoredJob,
    event_of,
    history_entry_of,
    job_of,
    stored_of,
    tombstone_from,
    workflow_of_event,
    workflow_of_job,
)
from wfx.store.sqlite.sealed_rows import EVENT, JOB, TOMBSTONE, opened, opened_entry, opened_jobs, sealing_of
from wfx.store.sqlite.statements import SQL, for_items
from wfx.store.sqlite.workflow_cache import WorkflowCache, load_numbered, read

_HIGHEST = 2**63 - 1
_JOBS_AT_ONCE = 1000
"""Jobs to look for at once where a page is read on."""


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the database throughout several statements."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


class Queries:
    """The reads of one store. Every method belongs into the thread of the connection that it is given.

    What reads pages takes ``room``: bytes that items may have as they are shown. The first that does not fit is not
    read, and begins the rest of the page.
    """

    def __init__(self, cache: WorkflowCache) -> None:
        """Share the cache of workflows."""
        self._cache = cache

    def jobs(
        self, connection: sqlite3.Connection, ids: Sequence[str], room: int
    ) -> list[StoredJob | JobNotFound | int]:
        """Return for each id its job, or how many bytes it has if they are more than ``room``, or what to raise."""
        with _snapshot(connection):
            rows = list(for_items(connection, "jobs_by_id", list(set(ids)), room))
            fit = [row for row in rows if row[SIZE] <= room]
            if (sealing := sealing_of(connection)) is not None:
                fit, _ = opened_jobs(sealing, fit, alone=len(ids) == 1)
            workflows = self._workflows(connection, set(map(workflow_of_job, fit)))
        found: dict[str, StoredJob | int] = {row[1]: row[SIZE] for row in rows}
        found.update((row[1], stored_of(row, workflows)) for row in fit)
        return [found.get(job_id) or JobNotFound() for job_id in ids]

    def tombstone(self, connection: sqlite3.Connection, job_id: str, since: int) -> Job:
        """Return what is told of a job that was deleted from this moment on."""
        with _snapshot(connection):
            row = next(iter(opened(connection, TOMBSTONE, connection.execute(SQL["tombstone"], (job_id, since)))), None)
            workflows = {} if row is None else self._workflows(connection, {row[2]})
        if row is None or row[2] not in workflows:
            raise JobNotFound
        return tombstone_from(row, workflows)

    def history(
        self, connection: sqlite3.Connection, job_id: str, limit: int, before: int, room: int
    ) -> Page[HistoryEntry]:
        """Return the newest entries of a job that are of versions before this one."""
        with _snapshot(connection):
            found = connection.execute(SQL["newest_history"], (job_id,)).fetchone()
            if found is None:
                raise JobNotFound
            newest, version, size = found
            place = (newest, min(before, _HIGHEST), max(limit, 0))
            if size + version * AROUND_ENTRY > room:
                return self._entries(connection, room, job_id, place)
            sealing = sealing_of(connection)
            rows = connection.execute(SQL["history"], place)
            return Page(tuple(history_entry_of(opened_entry(sealing, job_id, row)) for row in rows))

    def _entries(
        self, connection: sqlite3.Connection, room: int, job_id: str, place: tuple[int, int, int]
    ) -> Page[HistoryEntry]:
        with closing(connection.execute(SQL["large_history"], (*place, room))) as rows:
            taken, following = fitting(rows, lambda row: row[4] + AROUND_ENTRY, room)
        sealing = sealing_of(connection)
        entries = tuple(history_entry_of(opened_entry(sealing, job_id, row[:3])) for row in taken)
        if following is None:
            return Page(entries)
        number, size = following[3:]
        go_on = partial(self._entries, job_id=job_id, place=(number, _HIGHEST, place[2] - len(entries)))
        return Page(entries, rest=Rest(go_on, size + AROUND_ENTRY))

    def query_jobs(
        self, connection: sqlite3.Connection, query: JobQuery, room: int, bitmaps: Bitmaps | None = None
    ) -> Page[Job]:
        """Return a page of jobs: which ones, and how many there are in all, is decided at one moment."""
        paging = query.paging
        with _snapshot(connection):
            selection = select(connection, query, bitmaps)
            taken, size = self._fitting(connection, selection.page(connection, paging, room), room)
            jobs = self._jobs_of(connection, taken)
            total = selection.total(connection) if paging.with_total else None
            if size is None:
                return Page(jobs, total)
            numbers = selection.numbers_of(connection, paging)
        go_on = partial(self._more_jobs, numbers=numbers, done=len(taken), descending=paging.descending)
        return Page(jobs, total, Rest(go_on, size))

    def summarize_jobs(self, connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps) -> JobSummary:
        """Count the jobs of a query by state, and tell the position on the log, both of one moment."""
        with _snapshot(connection):
            counts = counts_by_state(connection, query, bitmaps)
            position = Position.read(connection)
        return JobSummary(counts, position.log_id, position.head)

    def count_rows(self, connection: sqlite3.Connection, query: JobListQuery) -> JobSummary:
        """Count as :meth:`summarize_jobs` does, also where the rows of jobs have to be looked at."""
        with _snapshot(connection):
            counts = counts_by_row(connection, query)
            position = Position.read(connection)
        return JobSummary(counts, position.log_id, position.head)

    def list_jobs(self, connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps) -> JobList:
        """Return a page of rows, and the position on the log, both of one moment."""
        with _snapshot(connection):
            rows, following = list_rows(connection, query, bitmaps)
            position = Position.read(connection)
        return JobList(rows, following, position.log_id, position.head)

    def list_devices(self, connection: sqlite3.Connection, query: DeviceQuery) -> DeviceList:
        """Return a page of devices, and the position on the log, both of one moment."""
        with _snapshot(connection):
            found, following = devices.list_devices(connection, query)
            position = Position.read(connection)
        return DeviceList(found, following, position.log_id, position.head)

    def get_device(self, connection: sqlite3.Connection, client_id: str) -> Device:
        """Return one device, as it is at one moment."""
        with _snapshot(connection):
            return devices.get_device(connection, client_id)

    def select_jobs(
        self, connection: sqlite3.Connection, query: JobListQuery, bitmaps: Bitmaps, *, with_ids: bool
    ) -> JobSelection:
        """Tell which of the next jobs fulfil a query, and the position on the log, both of one moment."""
        with _snapshot(connection):
            count, jobs, following = job_list.select(connection, query, bitmaps, with_ids=with_ids)
            position = Position.read(connection)
        return JobSelection(count, jobs, following, position.log_id, position.head)

    def _more_jobs(
        self, connection: sqlite3.Connection, room: int, *, numbers: BitMap64, done: int, descending: bool
    ) -> Page[Job]:
        """Return those of the next jobs that are still there, each as it is now."""
        end = min(done + _JOBS_AT_ONCE, len(numbers))
        some = list(numbers[len(numbers) - end : len(numbers) - done] if descending else numbers[done:end])
        with _snapshot(connection):
            rows = rows_of(connection, some, room, descending=descending)
            taken, size = self._fitting(connection, rows, room)
            jobs = self._jobs_of(connection, taken)
        if size is not None:
            behind = taken[-1][0] if taken else 0
            end = done + sum(number >= behind if descending else number <= behind for number in some) if taken else done
        go_on = partial(self._more_jobs, numbers=numbers, done=end, descending=descending)
        return Page(jobs, rest=Rest(go_on, size or 0) if end < len(numbers) else None)

    def _fitting(self, connection: sqlite3.Connection, rows: sqlite3.Cursor, room: int) -> tuple[list[Row], int | None]:
        """Take the rows of jobs that fit, and return the size of the next one, if there is one."""

        def size(row: Row) -> int:
            return int(row[SIZE]) + self._cache.size(connection, workflow_of_job(row)) + AROUND_JOB

        with closing(rows):
            taken, following = fitting(rows, size, room)
        return taken, None if following is None else size(following)

    def pages(
        self, connection: sqlite3.Connection, queries: Sequence[JobQuery], room: int
    ) -> list[Page[Job] | SealedValueUnreadable]:
        """Return a page for each query, or what to raise."""
        return [self._page(connection, query, room) for query in queries]

    def _page(self, connection: sqlite3.Connection, query: JobQuery, room: int) -> Page[Job] | SealedValueUnreadable:
        try:
            return self.query_jobs(connection, query, room)
        except SealedValueUnreadable as exc:
            return exc.with_traceback(None)

    def workflow(self, connection: sqlite3.Connection, name: str) -> Workflow:
        """Return the workflow with this name."""
        for number, document in for_items(connection, "workflows_by_name", [name]):
            return self._workflow(number, document)
        raise WorkflowNotFound(name)

    def workflow_names(self, connection: sqlite3.Connection, among: Collection[str]) -> set[str]:
        """Return those of these names that workflows have."""
        return {name for (name,) in connection.execute(SQL["workflow_names"], (encode(list(among)).decode(),))}

    def query_workflows(self, connection: sqlite3.Connection, paging: Paging, room: int) -> Page[Workflow]:
        """Return a page of workflows."""
        name = "workflows_page_descending" if paging.descending else "workflows_page"
        with _snapshot(connection):
            numbers = [number for (number,) in connection.execute(SQL[name], bounds(paging))]
            total = connection.execute(SQL["workflows_total"]).fetchone()[0] if paging.with_total else None
            page = self._more_workflows(connection, room, numbers)
        return Page(page.items, total, page.rest)

    def _more_workflows(self, connection: sqlite3.Connection, room: int, numbers: Sequence[int]) -> Page[Workflow]:
        taken, following = fitting(numbers, partial(self._cache.size, connection), room)
        found = self._workflows(connection, set(taken))
        workflows = tuple(found[number] for number in taken if number in found)
        if following is None:
            return Page(workflows)
        go_on = partial(self._more_workflows, numbers=numbers[len(taken) :])
        return Page(workflows, rest=Rest(go_on, self._cache.size(connection, following)))

    def log(self, connection: sqlite3.Connection, after: int, limit: int, room: int) -> list[Event]:
        """Return events after a position; the first one however large it is."""
        with _snapshot(connection):
            values = (min(max(after, 0), _HIGHEST), max(limit, 0))
            with closing(connection.execute(SQL["events_after"], values)) as found:
                rows, _ = fitting(found, partial(self._event_size, connection), room, at_least=1)
            if not rows or rows[0][0] != after + 1:
                _require_on_log(Position.read(connection), after)
            workflows = self._workflows(connection, set(map(workflow_of_event, rows)))
        return [event_of(row, workflows) for row in opened(connection, EVENT, rows)]

    def _event_size(self, connection: sqlite3.Connection, row: Row) -> int:
        """Return how many bytes the event has when it is shown."""
        shows_workflow = row[2] == Action.CREATE
        return len(row[6]) + (self._cache.size(connection, workflow_of_event(row)) if shows_workflow else 0)

    def ping(self, connection: sqlite3.Connection) -> None:
        """Read something that is always there."""
        connection.execute(SQL["ping"]).fetchone()

    def _jobs_of(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> tuple[Job, ...]:
        workflows = self._workflows(connection, set(map(workflow_of_job, rows)))
        return tuple(job_of(row, workflows) for row in opened(connection, JOB, rows))

    def _workflow(self, number: int, document: str) -> Workflow:
        known = self._cache.numbered([number])
        if number not in known:
            known[number] = read(number, document)
            self._cache.keep(known[number])
        return known[number]

    def _workflows(self, connection: sqlite3.Connection, numbers: set[int]) -> dict[int, Workflow]:
        known = self._cache.numbered(numbers)
        workflows = load_numbered(connection, numbers, known)
        for number in workflows.keys() - known.keys():
            self._cache.keep(workflows[number])
        return workflows


def _require_on_log(position: Position, after: int) -> None:
    """Raise unless ``after`` is the head: there is nothing behind it, so it must be at the end, not elsewhere."""
    if not 0 <= after <= position.head:
        raise NotOnThisLog(position.head, position.log_id)
    if after < position.horizon:
        raise BehindHorizon(position.horizon + 1)
