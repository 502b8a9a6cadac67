"""Consistency check of each job against its tags, history and events (:mod:`wfx.store.job_rules`).

The rows of all tables are gone through side by side in order of the jobs' numbers, so one job at a time is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wfx.domain.json import decode
from wfx.domain.workflow import Workflow
from wfx.store.findings import UNREADABLE, Finding, Progress, finding
from wfx.store.job_rules import ExaminedJob, Groups, HistorySummary, check_job
from wfx.store.postgres.blocking import SMALL_ROWS_AT_ONCE, BlockingConnection
from wfx.store.postgres.check_events import LARGEST_EVENT
from wfx.store.postgres.rows import SIZE, event_of, stored_of
from wfx.store.postgres.sealed_rows import EVENT, JOB, as_far_as_readable, sealing_of
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.texts import key_of

_JOBS = """
SELECT
    number, id, client_id, workflow, state, stime, mtime, version, definition_hash, tags, status, definition, size,
    history_bytes, history_dropped, overtaken, grp, tag_keys
FROM job ORDER BY number
"""
_GROUP, _TAG_KEYS = 16, 17
_EVENTS = """
SELECT number, seq, ctime, action, job_id, event.client_id, event.workflow, payload, state_before, cause
FROM event JOIN job ON job.id = job_id ORDER BY number, seq
"""
_EVERY = 500
"""Jobs between two reports of progress."""


def check_jobs(
    connection: BlockingConnection, workflows: Mapping[int, Workflow], progress: Progress
) -> Iterator[Finding]:
    """Yield what is wrong with the jobs, in order of creation."""
    ((total,),) = connection.fetch("SELECT count(*) FROM job")
    ((whole,),) = connection.fetch("SELECT coalesce(max(horizon), 0) = 0 FROM log")
    entries = Groups(connection.rows(SQL["sizes_of_entries"], at_once=SMALL_ROWS_AT_ONCE))
    events = Groups(connection.rows(_EVENTS, at_once=connection.at_once(LARGEST_EVENT)))
    jobs = connection.rows(_JOBS, at_once=connection.at_once("SELECT max(size) FROM job"))
    sealing = sealing_of(connection.plain)
    for done, row in enumerate(jobs):
        if done % _EVERY == 0:
            progress("jobs", done, total)
        where = f"job {row[0]} ({row[1]})"
        # Taken before anything can fail, so that the next job finds its own.
        past, told = list(entries.of(row[0])), list(events.of(row[0]))
        try:
            stored = stored_of(as_far_as_readable(sealing, JOB, row), workflows)
            history = [HistorySummary(*entry[1:]) for entry in past]
            log = [event_of(as_far_as_readable(sealing, EVENT, event[1:]), workflows) for event in told]
            job = ExaminedJob(
                stored.job, row[SIZE], stored.history_bytes, stored.history_dropped, _tags(row), history, log, whole
            )
            yield from check_job(job, where)
            if row[_GROUP] != stored.job.group:
                yield finding("job_group", where, f"the group of its state, {stored.job.group!r}", repr(row[_GROUP]))
        except UNREADABLE as exc:
            yield finding("job", where, "a row that can be read, in a state of its workflow", repr(exc))
    progress("jobs", total, total)


def _tags(row: Any) -> list[str]:
    """Return the tags by which the job is found; a long one is found by its hash."""
    tags: list[str] = sorted(set(decode(row[9].encode())))
    return tags if sorted(map(key_of, tags)) == sorted(row[_TAG_KEYS]) else list(row[_TAG_KEYS])
