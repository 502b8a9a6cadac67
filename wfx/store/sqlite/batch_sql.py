"""Writes the rows of a planned batch, with one statement for each kind of row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.protection.sealing import Sealing
from wfx.store.sqlite.numbering import NumberedBatch, NumberedJob
from wfx.store.sqlite.rows import Row, changed_row, entry_row, event_row, new_row, tombstone_row, workflow_state_of
from wfx.store.sqlite.sealed_rows import sealed
from wfx.store.sqlite.statements import Statement, over_rows

_Rows = defaultdict[str, list[Row]]
"""Rows by the name of their statement."""
_ORDER = (
    "delete_history",
    "leave_history",
    "delete_jobs",
    "bury_jobs",
    "insert_jobs",
    "update_jobs",
    "insert_history",
    "move_jobs",
    "mark_overtaken",
    "delete_tags",
    "insert_tags",
    "put_definitions",
    "delete_definitions",
    "insert_events",
)
"""Deletions come first: a new job may have the id of a deleted one."""
_ENTRIES = 500
"""History entries to delete at once; each may lie on a page of its own."""


def statements(batch: NumberedBatch, sealing: Sealing | None = None) -> list[Statement]:
    """Make what brings the tables to what the batch says."""
    rows: _Rows = defaultdict(list)
    gone: list[tuple[NumberedJob, Job]] = []
    for job in batch.jobs:
        before, after = job.before, job.after
        if after is not None:
            _store(job, before, after, rows)
        elif before is not None:
            gone.append((job, before))
        if before is None or after is None or before.tags != after.tags:
            _set_tags(job, rows)
    if gone:
        _delete(gone, rows)
    rows["insert_events"] = list(map(event_row, count(batch.first_seq), batch.events))
    written: dict[str, Sequence[Row]]
    if sealing is not None:
        ids = {job.number: known.id for job in batch.jobs if (known := job.after or job.before) is not None}
        written = {name: sealed(sealing, name, some, ids) for name, some in rows.items()}
    else:
        written = {**rows}
    return [statement for name in _ORDER if name in written for statement in over_rows(name, written[name])]


def _store(job: NumberedJob, before: Job | None, after: Job, rows: _Rows) -> None:
    if before is None:
        rows["insert_jobs"].append(new_row(job.number, after, job.size))
    elif before.state != after.state:
        rows["move_jobs"].append((job.number, workflow_state_of(after.workflow, after.state)))
    if before is not None or job.entries:
        rows["update_jobs"].append(changed_row(job.number, after, job.size, job.newest_entry, job.history_bytes))
        rows["insert_history"] += [entry_row(job.number, entry) for entry in job.entries]
    if after.overtaken != ("" if before is None else before.overtaken):
        rows["mark_overtaken"].append((job.number, after.overtaken))
    known = None if before is None else before.definition
    if after.definition is None and known is not None:
        rows["delete_definitions"].append((job.number,))
    elif after.definition is not None and after.definition != known:
        rows["put_definitions"].append((job.number, after.definition.decode()))


def _delete(gone: Iterable[tuple[NumberedJob, Job]], rows: _Rows) -> None:
    """Delete jobs, with as much of their histories as takes no time; the rest is left over, to be swept in pieces."""
    room = _ENTRIES
    for job, before in gone:
        entries = before.version - 1
        fits = entries <= room
        rows["delete_history" if fits else "leave_history"].append((job.number,))
        rows["delete_jobs"].append((job.number,))
        if job.tombstone is not None:
            rows["bury_jobs"].append(tombstone_row(job.tombstone))
        room -= entries if fits else 0


def _set_tags(job: NumberedJob, rows: _Rows) -> None:
    before, after = _tags_of(job.before), _tags_of(job.after)
    rows["delete_tags"] += [(tag, job.number) for tag in before - after]
    rows["insert_tags"] += [(tag, job.number) for tag in after - before]


def _tags_of(job: Job | None) -> frozenset[str]:
    return frozenset() if job is None else frozenset(decode(job.tags))
