"""Rules that a stored job keeps, with its tags, history and events, whatever database it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from wfx.domain import job_json, replay
from wfx.domain.definition import hash_of
from wfx.domain.job import Action, Event, Job
from wfx.domain.json import decode, encode
from wfx.store.findings import Finding, finding
from wfx.store.sizes import size_of


class HistorySummary(NamedTuple):
    """A history entry without its documents."""

    version: int
    mtime: int
    size: int
    """Bytes of its documents."""


class ExaminedJob(NamedTuple):
    """A job with everything that belongs to it."""

    job: Job
    size: int
    history_bytes: int
    history_dropped: int
    tags: list[str]
    """As they are kept for searches, in order."""
    entries: list[HistorySummary]
    """Oldest first."""
    events: list[Event]
    log_is_whole: bool
    """Whether nothing was ever pruned from the log."""


class Groups:
    """Rows in order of the number that they begin with."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        """Begin with the first row."""
        self._rows = rows
        self._next = next(rows, None)

    def of(self, number: int) -> Iterator[Sequence[Any]]:
        """Yield the rows of this number, passing over those of lower ones."""
        while self._next is not None and self._next[0] <= number:
            if self._next[0] == number:
                yield self._next
            self._next = next(self._rows, None)


def check_job(record: ExaminedJob, where: str) -> Iterator[Finding]:
    """Yield what is wrong with a job; ``where`` says which it is."""
    for check, wrong in (
        ("job", _row(record)), ("job_definition", _definition(record)), ("job_tags", _tags(record)),
        ("job_size", _size(record)), ("job_history", _history(record)), ("job_log", _log(record)),
    ):  # fmt: skip
        for expected, found in wrong:
            yield finding(check, where, expected, found)


_Wrong = Iterable[tuple[str, Any]]
"""What was expected, and what is there."""


def _row(record: ExaminedJob) -> _Wrong:
    job = record.job
    status = decode(job.status)
    if status["state"] != job.state:
        yield f"the state of its row, {job.state}, in its status", status["state"]
    if job.version < 1:
        yield "a version from 1 on", job.version
    if job.mtime < job.stime:
        yield f"an mtime from its stime {job.stime} on", job.mtime


def _definition(record: ExaminedJob) -> _Wrong:
    job = record.job
    fresh = hash_of(None if job.definition is None else decode(job.definition))
    in_status = decode(job.status).get("definitionHash")
    if job.definition_hash != fresh:
        yield f"the hash of its definition, {fresh}", job.definition_hash
    if in_status != job.definition_hash:
        yield f"the same hash in its status, {job.definition_hash}", in_status


def _tags(record: ExaminedJob) -> _Wrong:
    tags = decode(record.job.tags)
    if tags != sorted(set(tags)):
        yield "tags in order and without duplicates", tags
    if sorted(set(tags)) != record.tags:
        yield f"its tags {tags} in job_tag", record.tags


def _size(record: ExaminedJob) -> _Wrong:
    """How much there is to read is known before it is read."""
    size, history_bytes = size_of(record.job), sum(entry.size for entry in record.entries)
    if record.size != size:
        yield f"{size} bytes of documents", record.size
    if record.history_bytes != history_bytes:
        yield f"{history_bytes} bytes of history", record.history_bytes


def _history(record: ExaminedJob) -> _Wrong:
    """There is an entry for each version before the present one, but for those dropped in one place; times rise."""
    job, entries = record.job, record.entries
    versions = [entry.version for entry in entries]
    if not _complete(versions, job.version, record.history_dropped):
        wanted = f"an entry for each version before {job.version}, which are {job.version - 1}"
        yield f"{wanted}, but for {record.history_dropped} in one place", f"versions {versions}"
        return
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


def _log(record: ExaminedJob) -> _Wrong:
    """Each event is the one of a version, up to the present one; from its creation on, they make it what it is."""
    job, events = record.job, _since_creation(record.events)
    begun = bool(events) and events[0].action is Action.CREATE
    if record.log_is_whole and not begun:
        yield "CREATE as its first event", events[0].action if events else "no event"
        return
    versions = _told_versions(record, events)
    most = job.version - (len(record.entries) + 1 - len(versions))
    least, times = most - record.history_dropped, [event.ctime for event in events]
    if not least <= len(events) <= most if begun else len(events) >= most:
        yield f"an event for each of its {most} versions", f"{len(events)} events"
    elif len(versions) == most and times != versions[most - len(events) :]:
        yield f"events at the times of its versions, {versions}", times
    owner = (job.client_id, job.workflow.number)
    if strange := next((event for event in events if (event.client_id, event.workflow.number) != owner), None):
        yield f"events of client and workflow {owner}", f"event {strange.seq} of {strange.client_id}"
    if begun:
        yield from _folded(job, events)


def _told_versions(record: ExaminedJob, events: Sequence[Event]) -> list[int]:
    """Return the times of the versions that have or had an event: all but those of reports that were overtaken.

    Such a version is at the moment before the event of the change that it is a part of. So may be one whose event was
    pruned: that is before the first event of all.
    """
    versions = [*(entry.mtime for entry in record.entries), record.job.mtime]
    told = {event.ctime for event in events}
    updated = {event.ctime for event in events if event.action is Action.UPDATE_STATUS}
    hops = {moment - 1 for moment in updated.intersection(versions) if moment - 1 > events[0].ctime}
    return [each for each in versions if each in told or each not in hops]


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
