"""Conversion of the reference implementation's rows (rest-api sections 9.6 and 15)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

from wfx.domain import tags
from wfx.domain.definition import hash_of
from wfx.domain.job import HistoryEntry, Job, Status
from wfx.domain.json import Json
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.history_bounds import size_of_entry
from wfx.store.sizes import size_of
from wfx.store.sqlite.migrate import migrate, migrations
from wfx.store.sqlite.rows import UNREADABLE, HistoryRow, entry_row, new_row, workflow_state_rows
from wfx.store.sqlite.statements import SQL, for_rows

_SIDE_BY_SIDE = (
    "CREATE TEMP TABLE job_tags AS SELECT job_id AS job, name FROM tag_jobs JOIN tag ON tag.id = tag_id",
    "CREATE INDEX temp.job_tags_job ON job_tags (job)",
    "CREATE TEMP TABLE entries AS SELECT job_history AS job, id FROM history",
    "CREATE INDEX temp.entries_job ON entries (job, id)",
)
_JOBS = """
SELECT id, client_id, workflow_jobs, stime, mtime, status, definition FROM job ORDER BY julianday(stime), stime, id
"""
_TAGS = "SELECT name FROM job_tags WHERE job = ?"
_ENTRIES = """
SELECT mtime, status, definition FROM entries CROSS JOIN history USING (id) WHERE entries.job = ? ORDER BY entries.id
"""
_INSERT_JOB = """
INSERT INTO job (number, id, client_id, workflow_state, stime, mtime, version, definition_hash, tags, status, size,
                 history, history_bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def copy_all(theirs: sqlite3.Connection, ours: sqlite3.Connection) -> int:
    """Make our tables and copy everything into them, within their transaction; return how many jobs there are.

    Raises ValueError, naming the job, for rows that make no sense.
    """
    migrate(ours, migrations(), 0)
    ours.execute("PRAGMA journal_mode = WAL")
    for statement in _SIDE_BY_SIDE:
        theirs.execute(statement)  # executescript would end the transaction, which keeps others from changing it
    ours.execute("BEGIN")
    workflows = _copy_workflows(theirs, ours)
    number = entry = 0
    for number, row in enumerate(theirs.execute(_JOBS), 1):
        try:
            entry = _copy_job(theirs, ours, number, entry, row, workflows)
        except UNREADABLE as exc:
            raise ValueError(f"job {row[0]}: {exc!r}") from exc
    # As if an event for each change had been pruned: whoever reads from the oldest event on begins with what is new.
    ours.execute(SQL["set_horizon"], (number + entry,))
    ours.execute("COMMIT")
    return number


def _copy_workflows(theirs: sqlite3.Connection, ours: sqlite3.Connection) -> dict[int, Workflow]:
    columns = {row[1] for row in theirs.execute("PRAGMA table_info(workflow)")}
    description = "description" if "description" in columns else "NULL"
    found = {}
    select = f"SELECT id, name, {description}, states, transitions, groups FROM workflow ORDER BY id"  # noqa: S608 - ours
    for key, name, text, states, transitions, groups in theirs.execute(select):
        document = {
            "name": name, "description": text or "", "states": _decoded(states),
            "transitions": _decoded(transitions) or [], "groups": _decoded(groups),
        }  # fmt: skip
        encoded = Workflow.from_wire(document).encoded.decode()
        number = ours.execute(SQL["insert_workflow"], (name, encoded, None)).lastrowid
        assert number is not None
        found[key] = Workflow.from_wire(document, number)
        for_rows(ours, "insert_workflow_states", workflow_state_rows(found[key]))
    return found


def _copy_job(
    theirs: sqlite3.Connection, ours: sqlite3.Connection, number: int, last_entry: int, row: tuple[Any, ...],
    workflows: Mapping[int, Workflow],
) -> int:  # fmt: skip
    """Copy a job with its tags and history; return the number of the last history entry."""
    job_id, client_id, workflow, stime, mtime, status, definition = row
    if workflow not in workflows:
        raise ValueError("it has no workflow")
    names = [name for (name,) in theirs.execute(_TAGS, (job_id,))]
    entries = theirs.execute(_ENTRIES, (job_id,)).fetchall()
    moments = list(_rising(_moment(stime), [*(_moment(entry[0]) for entry in entries), _moment(mtime)]))
    present = _decoded(definition)
    definition_hash = hash_of(present)
    final = Status.from_wire(_decoded(status))._replace(definition_hash=definition_hash)
    job = Job(
        id=job_id, client_id=client_id, workflow=workflows[workflow], state=final.state, status=final.encoded,
        definition_hash=definition_hash, definition=_document(present), tags=tags.ordered(names),
        stime=_moment(stime), mtime=moments[-1], version=len(entries) + 1,
    )  # fmt: skip
    last = last_entry + len(entries)
    entries_before = list(map(HistoryEntry, moments[:-1], _statuses(entries, final), _definitions(entries)))
    history = (last if entries else None, sum(map(size_of_entry, entries_before)))
    ours.execute(_INSERT_JOB, (*new_row(number, job, size_of(job)), *history))
    for_rows(
        ours,
        "insert_history",
        [
            entry_row(number, HistoryRow(key, key - 1 if version > 1 else None, version, entry))
            for version, (key, entry) in enumerate(zip(count(last_entry + 1), entries_before, strict=False), 1)
        ],
    )
    for_rows(ours, "insert_tags", [(name, number) for name in sorted(set(names))])
    if job.definition is not None:
        for_rows(ours, "put_definitions", [(number, job.definition.decode())])
    return last


def _statuses(entries: list[tuple[Any, ...]], present: Status) -> list[Json]:
    """Return the status of each version before the present one; a change of tags recorded none, as it changed none."""
    found = [present.encoded]
    for _, status, _ in reversed(entries):
        document = _decoded(status) or {"state": ""}
        found.append(Status.from_wire(document).encoded if document["state"] else found[-1])
    return found[:0:-1]


def _definitions(entries: list[tuple[Any, ...]]) -> Iterator[Json | None]:
    """Yield the definition before each change of it. Entries tell the one after, so the first one is not known."""
    before: Json | None = None
    for _, _, definition in entries:
        after = _document(_decoded(definition))
        yield before if after not in (None, before) else None
        before = after or before


def _rising(earliest: Timestamp, moments: Iterable[Timestamp]) -> Iterator[Timestamp]:
    """Yield the moments, later where it takes that to rise: here a job's time does, whatever the clock did there."""
    least = int(earliest)
    for moment in moments:
        yield (lifted := Timestamp(max(moment, least)))
        least = lifted + 1


def _moment(text: str) -> Timestamp:
    """Read a time in any offset; without one it is in UTC."""
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return Timestamp((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)


def _decoded(document: bytes | str | None) -> Any:
    return None if document is None else orjson.loads(document)


def _document(value: Any) -> Json | None:
    return None if value is None else encode_free_form(value)
