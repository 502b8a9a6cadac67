"""A plan's rows, written with as few statements as there are kinds of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.plan import Image, Plan
from wfx.store.sqlite.rows import Row, changed_row, event_row, former_row, new_row, place_of
from wfx.store.sqlite.statements import for_rows


def write(connection: sqlite3.Connection, plan: Plan) -> None:
    """Bring the tables to what the plan says."""
    images = [image for image in plan.images if image.after is not image.before]
    kept = [(image, image.after) for image in images if image.after is not None]
    created = [new_row(image.number, job) for image, job in kept if image.before is None]
    changed = [changed_row(image.number, job) for image, job in kept if image.before is not None]
    for_rows(connection, "insert_jobs", created)
    for_rows(connection, "update_jobs", changed)
    for_rows(connection, "move_jobs", [
        (image.number, place_of(job.workflow, job.state))
        for image, job in kept if image.before is not None and image.before.state != job.state
    ])
    for_rows(connection, "insert_history", [
        former_row(image.number, version, former) for image, _ in kept for version, former in image.former
    ])
    _write_tags(connection, images)
    _write_definitions(connection, kept)
    for_rows(connection, "delete_jobs", [(image.number,) for image in images if image.after is None])
    for_rows(connection, "insert_events", [event_row(event) for event in plan.events])


def _write_tags(connection: sqlite3.Connection, images: Iterable[Image]) -> None:
    gone: list[Row] = []
    fresh: list[Row] = []
    for image in images:
        before, after = _tags(image.before), _tags(image.after)
        gone.extend((tag, image.number) for tag in before - after)
        fresh.extend((tag, image.number) for tag in after - before)
    for_rows(connection, "delete_tags", gone)
    for_rows(connection, "insert_tags", fresh)


def _write_definitions(connection: sqlite3.Connection, kept: Iterable[tuple[Image, Job]]) -> None:
    put: list[Row] = []
    gone: list[Row] = []
    for image, job in kept:
        before = None if image.before is None else image.before.definition
        if job.definition is None and before is not None:
            gone.append((image.number,))
        elif job.definition is not None and job.definition != before:
            put.append((image.number, job.definition.decode()))
    for_rows(connection, "put_definitions", put)
    for_rows(connection, "delete_definitions", gone)


def _tags(job: Job | None) -> frozenset[str]:
    return frozenset() if job is None or job.tags == b"[]" else frozenset(decode(job.tags))
