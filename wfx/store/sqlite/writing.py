"""A plan's rows, written with as few statements as there are kinds of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.plan import Image, Plan
from wfx.store.sqlite.rows import Row, changed_row, event_row, former_row, new_row, place_of
from wfx.store.sqlite.statements import for_rows


def write(connection: sqlite3.Connection, plan: Plan, last_former: int) -> int:
    """Bring the tables to what the plan says. History entries get numbers above ``last_former``; returns the last."""
    images = [image for image in plan.images if image.after is not image.before]
    created = [(image, image.after) for image in images if image.before is None and image.after]
    changed = [(image, image.after) for image in images if image.before and image.after]
    formers: list[Row] = []
    rows: list[Row] = []
    for image, job in changed:
        for version, former in image.former:
            last_former += 1
            formers.append(former_row(last_former, image.newest_former, image.number, version, former))
            image.newest_former = last_former
        rows.append(changed_row(image.number, job, image.newest_former))
    for_rows(connection, "insert_jobs", [new_row(image.number, job) for image, job in created])
    for_rows(connection, "update_jobs", rows)
    for_rows(connection, "insert_history", formers)
    for_rows(connection, "move_jobs", [
        (image.number, place_of(job.workflow, job.state))
        for image, job in changed if image.before and image.before.state != job.state
    ])
    _write_tags(connection, images)
    _write_definitions(connection, created + changed)
    _delete(connection, [(image.number,) for image in images if image.after is None])
    for_rows(connection, "insert_events", [event_row(event) for event in plan.events])
    return last_former


def _delete(connection: sqlite3.Connection, numbers: list[Row]) -> None:
    for_rows(connection, "delete_history", numbers)
    for_rows(connection, "delete_jobs", numbers)


def _write_tags(connection: sqlite3.Connection, images: Iterable[Image]) -> None:
    gone: list[Row] = []
    fresh: list[Row] = []
    for image in images:
        if image.before and image.after and image.before.tags == image.after.tags:
            continue
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
    return frozenset() if job is None else frozenset(decode(job.tags))
