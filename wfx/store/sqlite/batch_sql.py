"""Writes the rows of a planned batch, with one statement for each kind of row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.plan import PendingJob, Plan
from wfx.store.sqlite.rows import Row, changed_row, entry_row, event_row, new_row, place_of
from wfx.store.sqlite.statements import Statement, over_rows

_ENTRIES = 500
"""History entries to delete at once; each may lie on a page of its own."""


def statements(plan: Plan) -> Iterator[Statement]:
    """Make what brings the tables to what the plan says."""
    images = [image for image in plan.images if image.after is not image.before]
    created = [(image, image.after) for image in images if image.before is None and image.after]
    changed = [(image, image.after) for image in images if image.before and image.after]
    yield from over_rows("insert_jobs", [new_row(image.number, job) for image, job in created])
    yield from over_rows(
        "update_jobs",
        [changed_row(image.number, job, image.newest_entry, image.history_bytes) for image, job in changed],
    )
    yield from over_rows(
        "insert_history", [entry_row(image.number, entry) for image, _ in changed for entry in image.entries]
    )
    yield from over_rows(
        "move_jobs",
        [
            (image.number, place_of(job.workflow, job.state))
            for image, job in changed
            if image.before and image.before.state != job.state
        ],
    )
    yield from _tags(images)
    yield from _definitions(created + changed)
    yield from _deletions([(image, image.before) for image in images if image.before and image.after is None])
    yield from over_rows("insert_events", [event_row(event) for event in plan.events])


def _deletions(gone: Iterable[tuple[PendingJob, Job]]) -> Iterator[Statement]:
    """Delete jobs, with as much of their histories as takes no time; the rest is left over, to be swept in pieces."""
    swept: list[Row] = []
    left: list[Row] = []
    room = _ENTRIES
    for image, job in gone:
        entries = job.version - 1
        fits = entries <= room
        (swept if fits else left).append((image.number,))
        room -= entries if fits else 0
    yield from over_rows("delete_history", swept)
    yield from over_rows("leave_history", left)
    yield from over_rows("delete_jobs", swept + left)


def _tags(images: Iterable[PendingJob]) -> Iterator[Statement]:
    gone: list[Row] = []
    fresh: list[Row] = []
    for image in images:
        if image.before and image.after and image.before.tags == image.after.tags:
            continue
        before, after = _tags_of(image.before), _tags_of(image.after)
        gone.extend((tag, image.number) for tag in before - after)
        fresh.extend((tag, image.number) for tag in after - before)
    yield from over_rows("delete_tags", gone)
    yield from over_rows("insert_tags", fresh)


def _definitions(kept: Iterable[tuple[PendingJob, Job]]) -> Iterator[Statement]:
    put: list[Row] = []
    gone: list[Row] = []
    for image, job in kept:
        before = None if image.before is None else image.before.definition
        if job.definition is None and before is not None:
            gone.append((image.number,))
        elif job.definition is not None and job.definition != before:
            put.append((image.number, job.definition.decode()))
    yield from over_rows("put_definitions", put)
    yield from over_rows("delete_definitions", gone)


def _tags_of(job: Job | None) -> frozenset[str]:
    return frozenset() if job is None else frozenset(decode(job.tags))
