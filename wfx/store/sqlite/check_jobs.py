"""Consistency check of each job against its tags, history and events.

The rows of all tables are gone through side by side in order of the jobs' numbers, so one job at a time is in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from wfx.domain import job_json, replay
from wfx.domain.definition import hash_of
from wfx.domain.job import Action, Event, Job
from wfx.domain.json import decode, encode
from wfx.domain.workflow import Workflow
from wfx.store.findings import Finding, Progress, finding
from wfx.store.sizes import size_of
from wfx.store.sqlite.rows import ANY_SIZE, EVENT_COLUMNS, SIZE, STORED_COLUMNS, UNREADABLE, Row, event_of, stored_of
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
_EVERY = 500
"""Jobs between two reports of progress."""


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """A history entry without its documents."""

    number: int
    earlier: int | None
    version: int
    mtime: int
    size: int
    """Bytes of its documents."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job with everything that belongs to it."""

    job: Job
    size: int
    newest_history: int | None
    history_bytes: int
    history_dropped: int
    tags: list[str]
    """As the table of tags has them."""
    entries: list[HistorySummary]
    """Oldest first."""
    events: list[Event]
    log_is_whole: bool
    """Whether nothing was ever pruned from the log."""


def check_jobs(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    """Yield what is wrong with the jobs, in order of creation."""
    total = connection.execute("SELECT count(*) FROM job").fetchone()[0]
    records = _JobRecords(connection)
    for done, row in enumerate(connection.execute(_JOBS, (ANY_SIZE,))):
        if done % _EVERY == 0:
            progress("jobs", done, total)
        where = f"job {row[0]} ({row[1]})"
        try:
            yield from _check(records.of(row), where)
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
            _Groups(connection.execute(sql)) for sql in (_TAGS, _ENTRIES, _EVENTS)
        )

    def of(self, row: Row) -> JobRecord:
        number = row[0]
        # Taken before anything can fail, so that the next job finds its own.
        tags, entries, events = (list(group.of(number)) for group in (self._tags, self._entries, self._events))
        stored = stored_of(row, self._workflows)
        return JobRecord(
            stored.job,
            row[SIZE],
            stored.newest_entry,
            stored.history_bytes,
            stored.history_dropped,
            [tag for _, tag in tags],
            [HistorySummary(*entry) for _, *entry in entries],
            [self._event(seq) for _, seq in events],
            self._log_is_whole,
        )

    def _event(self, seq: int) -> Event:
        return event_of(self._connection.execute(_EVENT, (seq,)).fetchone(), self._workflows)


class _Groups:
    """Rows in order of the number that they begin with."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, number: int) -> Iterator[Row]:
        """Yield the rows of this number, passing over those of lower ones."""
        while self._next is not None and self._next[0] <= number:
            if self._next[0] == number:
                yield self._next
            self._next = next(self._rows, None)


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


def _check(record: JobRecord, where: str) -> Iterator[Finding]:
    for check, wrong in (
        ("job", _row(record)), ("job_definition", _definition(record)), ("job_tags", _tags(record)),
        ("job_size", _size(record)), ("job_history", _history(record)), ("job_log", _log(record)),
    ):  # fmt: skip
        for expected, found in wrong:
            yield finding(check, where, expected, found)


_Wrong = Iterable[tuple[str, Any]]
"""What was expected, and what is there."""


def _row(record: JobRecord) -> _Wrong:
    job = record.job
    status = decode(job.status)
    if status["state"] != job.state:
        yield f"the state of its row, {job.state}, in its status", status["state"]
    if job.version < 1:
        yield "a version from 1 on", job.version
    if job.mtime < job.stime:
        yield f"an mtime from its stime {job.stime} on", job.mtime


def _definition(record: JobRecord) -> _Wrong:
    job = record.job
    fresh = hash_of(None if job.definition is None else decode(job.definition))
    in_status = decode(job.status).get("definitionHash")
    if job.definition_hash != fresh:
        yield f"the hash of its definition, {fresh}", job.definition_hash
    if in_status != job.definition_hash:
        yield f"the same hash in its status, {job.definition_hash}", in_status


def _tags(record: JobRecord) -> _Wrong:
    tags = decode(record.job.tags)
    if tags != sorted(set(tags)):
        yield "tags in order and without duplicates", tags
    if sorted(set(tags)) != record.tags:
        yield f"its tags {tags} in job_tag", record.tags


def _size(record: JobRecord) -> _Wrong:
    """How much there is to read is known before it is read."""
    size, history_bytes = size_of(record.job), sum(entry.size for entry in record.entries)
    if record.size != size:
        yield f"{size} bytes of documents", record.size
    if record.history_bytes != history_bytes:
        yield f"{history_bytes} bytes of history", record.history_bytes


def _history(record: JobRecord) -> _Wrong:
    """There is an entry for each version before the present one, but for those dropped in one place.

    Each knows the one before it, and times rise.
    """
    job, entries = record.job, record.entries
    versions = [entry.version for entry in entries]
    if not _complete(versions, job.version, record.history_dropped):
        wanted = f"an entry for each version before {job.version}, which are {job.version - 1}"
        yield f"{wanted}, but for {record.history_dropped} in one place", f"versions {versions}"
        return
    chain = [None, *(entry.number for entry in entries)]
    named = [*(entry.earlier for entry in entries), record.newest_history]
    if named != chain:
        yield f"the entries one after the other, {chain}", f"a chain of {named}"
    moments = [*(entry.mtime for entry in entries), job.mtime]
    if moments[0] < job.stime:
        yield f"the first version at its stime {job.stime}", moments[0]
    for earlier, later in pairwise(moments):
        if later <= earlier:
            yield f"a version later than {earlier}", later


def _complete(versions: Sequence[int], present: int, dropped: int) -> bool:
    first = next((place for place, version in enumerate(versions) if version != place + 1), len(versions))
    complete = [*range(1, first + 1), *range(first + 1 + dropped, present)]
    return list(versions) == complete and len(versions) == present - 1 - dropped


def _log(record: JobRecord) -> _Wrong:
    """Each event is the one of a version, up to the present one; from its creation on, they make it what it is."""
    job, events = record.job, _since_creation(record.events)
    begun = bool(events) and events[0].action is Action.CREATE
    if record.log_is_whole and not begun:
        yield "CREATE as its first event", events[0].action if events else "no event"
        return
    versions = [*(entry.mtime for entry in record.entries), job.mtime]
    if len(events) != job.version if begun else len(events) >= job.version:
        yield f"an event for each of its {job.version} versions", f"{len(events)} events"
    elif len(versions) == job.version and [event.ctime for event in events] != versions[job.version - len(events) :]:
        yield f"events at the times of its versions, {versions}", [event.ctime for event in events]
    owner = (job.client_id, job.workflow.number)
    if strange := next((event for event in events if (event.client_id, event.workflow.number) != owner), None):
        yield f"events of client and workflow {owner}", f"event {strange.seq} of {strange.client_id}"
    if begun:
        yield from _folded(job, events)


def _since_creation(events: Sequence[Event]) -> Sequence[Event]:
    """Leave out the events of deleted jobs that had the same id before."""
    ends = (place for place, both in enumerate(pairwise(events), 1) if both[0].action is Action.DELETE)
    return events[max((place for place in ends if events[place].action is Action.CREATE), default=0) :]


def _folded(job: Job, events: Iterable[Event]) -> _Wrong:
    known: dict[str, Any] | None = None
    for event in events:
        known = replay.after(event, known)
    if known is None:
        yield "no DELETE among its events", "its deletion as the last"
        return
    present = decode(job_json.created(job))
    for name in sorted(known.keys() | present.keys()):
        if known.get(name) != present.get(name):
            yield f"the {name} of its events, {_json(known.get(name))}", _json(present.get(name))


def _json(value: Any) -> str:
    return "none" if value is None else encode(value).decode()
