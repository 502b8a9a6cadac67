"""Values of the statement that writes a batch: what a plan says, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wfx.domain.job import Action, Job
from wfx.domain.json import Json, decode
from wfx.store.history_bounds import exceeds_bounds, size_of_entry
from wfx.store.plan import EventDraft, PendingJob, Plan
from wfx.store.postgres.texts import array_of, key_of
from wfx.store.sizes import size_of

_ENTRIES = 500
"""History entries that are deleted with their jobs; those of jobs that have more are left to be dropped in pieces."""
_CHANGED, _FRESH, _EVENT, _ENTRY = 16, 16, 8, 6
"""How many columns there are of each."""

_Rows = list[tuple[Any, ...]]


class Batch(NamedTuple):
    """What to write."""

    values: Sequence[Sequence[Any]]
    """The values of the statement from the fourth on."""
    ids: Sequence[str]
    """The jobs that it is about."""
    numbers: Sequence[int]
    """The numbers of those that are there already."""
    long_histories: Sequence[int]
    """The numbers of those whose histories exceed their bounds then."""
    is_still: bool
    """Whether no job is created, deleted, moved into another state, or tagged otherwise."""


def batch_of(plan: Plan) -> Batch:
    """Make the values for a plan. Raises KeyError for a state that a job's workflow does not have."""
    changed: _Rows = []
    overtaken: list[str] = []
    fresh: _Rows = []
    entries: _Rows = []
    ids, long_histories = [], []
    places: Mapping[str, int] | None = None
    room, is_still = _ENTRIES, True
    for pending in plan.jobs:
        before, after = pending.before, pending.after
        if before is not None and after is not None:
            if after is before:
                continue
            is_still = is_still and after.state == before.state and after.tags == before.tags
            changed.append(_changed_row(pending, before, after))
            overtaken.append(after.overtaken)
            entries += _entry_rows(pending, pending.loaded.number, None, before.version)
            if _becomes_long(pending, after):
                long_histories.append(pending.loaded.number)
            ids.append(after.id)
        elif after is not None:
            is_still, places = False, _creations(plan.events) if places is None else places
            fresh.append(_fresh_row(places[after.id], after, pending))
            entries += _entry_rows(pending, None, places[after.id], 1)
            ids.append(after.id)
        elif before is not None:
            is_still, leaves = False, before.version - 1 > room
            room -= 0 if leaves else before.version - 1
            changed.append(_deleted_row(pending, before, leaves=leaves))
            overtaken.append("")
            ids.append(before.id)
    values = [
        *_columns(changed, _CHANGED),
        *_columns(fresh, _FRESH),
        *_columns([_event_row(event) for event in plan.events], _EVENT),
        *_columns(entries, _ENTRY),
        overtaken,
    ]
    return Batch(values, ids, [row[0] for row in changed], long_histories, is_still)


def _columns(rows: _Rows, width: int) -> Sequence[Sequence[Any]]:
    return [*zip(*rows, strict=True)] if rows else [()] * width


def _creations(events: Sequence[EventDraft]) -> Mapping[str, int]:
    """Return for each new job which event is that of its creation, counted from 1; the last one if there are more."""
    return {event.job_id: place for place, event in enumerate(events, 1) if event.action is Action.CREATE}


def _changed_row(pending: PendingJob, before: Job, after: Job) -> tuple[Any, ...]:
    redefined = after.definition != before.definition
    tags = (None, None) if after.tags == before.tags else _tags(after.tags)
    after.workflow.positions[after.state]
    return (
        pending.loaded.number, after.id, before.version, after.version, after.state, after.group, after.mtime,
        after.definition_hash, *tags, after.status.decode(), redefined, _text(after.definition) if redefined else None,
        size_of(after), sum(map(size_of_entry, pending.entries)), False,
    )  # fmt: skip


def _deleted_row(pending: PendingJob, before: Job, *, leaves: bool) -> tuple[Any, ...]:
    told = pending.tombstone
    assert told is not None, "every deletion leaves one"
    rest = (told.definition_hash, None, None, "", False, _text(told.definition), 0, 0, leaves)
    return (pending.loaded.number, before.id, before.version, 0, told.state, "", told.mtime, *rest)


def _fresh_row(place: int, job: Job, pending: PendingJob) -> tuple[Any, ...]:
    job.workflow.positions[job.state]
    return (
        place, job.id, job.client_id, job.workflow.number, job.state, job.group, job.stime, job.mtime, job.version,
        job.definition_hash, *_tags(job.tags), job.status.decode(), _text(job.definition), size_of(job),
        sum(map(size_of_entry, pending.entries)),
    )  # fmt: skip


def _entry_rows(pending: PendingJob, job: int | None, place: int | None, version: int) -> Iterator[tuple[Any, ...]]:
    for number, entry in enumerate(pending.entries, version):
        yield (job, place, number, entry.mtime, entry.status.decode(), _text(entry.definition))


def _event_row(event: EventDraft) -> tuple[Any, ...]:
    ctime, action, job_id, client_id, workflow, payload, state_before, cause = event
    return (ctime, action.value, job_id, client_id, workflow.number, payload.decode(), state_before, cause)


def _becomes_long(pending: PendingJob, after: Job) -> bool:
    _, size, dropped, _ = pending.loaded
    return bool(pending.entries) and exceeds_bounds(
        after.version - 1 - dropped, size + sum(map(size_of_entry, pending.entries))
    )


def _text(document: Json | None) -> str | None:
    return None if document is None else document.decode()


def _tags(tags: Json) -> tuple[str, str]:
    """Return the document, and what the tags are found by."""
    return ("[]", "{}") if tags == b"[]" else (tags.decode(), array_of(map(key_of, decode(tags))))
