"""Domain objects of the records of a dump, which are checked on the way.

Each raises ValueError, naming the record, for one that contradicts itself or those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wfx.domain import tags
from wfx.domain.cause import EncodedCause
from wfx.domain.definition import hash_of
from wfx.domain.job import Action, HistoryEntry, Job
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.dump import EntryRecord, EventRecord, Header, JobRecord, WorkflowRecord
from wfx.store.plan import EventDraft

_NUMBERS = range(1, 1 << 40)
"""Numbers that a workflow may have: those of its states are larger, and integers of 64 bits."""
_TIMES = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""Timestamps from year 1 to year 9999: others have no text."""


class RecordReader:
    """Turns records into what they stand for; they are to come in the order of the dump."""

    def __init__(self, header: Header) -> None:
        """Begin with no workflow, and before the first event."""
        self._workflows: dict[int, Workflow] = {}
        self._deleted: set[int] = set()
        self._head = header.head
        self._seq = header.horizon
        """The event read last."""

    def workflow(self, record: WorkflowRecord) -> Workflow:
        """Return the workflow, and know it from now on."""
        with _naming(f"workflow {record.number}"):
            workflow = Workflow.from_wire({"transitions": [], **decode(record.document)}, record.number)
            if record.number not in _NUMBERS or record.number in self._workflows:
                raise ValueError("its number is taken, or out of range")
            if workflow.encoded != record.document:
                raise ValueError("its document has members that no workflow has")
            self._workflows[record.number] = workflow
            if record.deleted is not None:
                self._deleted.add(record.number)
            return workflow

    def job(self, record: JobRecord) -> tuple[Job, list[tuple[int, HistoryEntry]]]:
        """Return the job, and the entries of its history with the versions that they describe."""
        with _naming(f"job {record.id}"):
            workflow = self._known(record.workflow)
            if record.workflow in self._deleted or record.state not in workflow.positions:
                raise ValueError(f"it is in a state that workflow {record.workflow} does not have, {record.state!r}")
            present = None if record.definition is None else decode(record.definition)
            if hash_of(present) != record.definition_hash:
                raise ValueError(f"its definition has not the hash {record.definition_hash}: it was changed")
            if tags.ordered(decode(record.tags)) != record.tags:
                raise ValueError("its tags are not in order")
            job = Job(
                id=record.id, client_id=record.client_id, workflow=workflow, state=record.state, status=record.status,
                definition_hash=record.definition_hash, definition=record.definition, tags=record.tags,
                stime=_timestamp(record.stime), mtime=_timestamp(record.mtime), version=record.version,
            )  # fmt: skip
            return job, [(entry.version, _entry(entry)) for entry in record.history]

    def event(self, record: EventRecord) -> EventDraft:
        """Return the event without its number, which is the next one."""
        with _naming(f"event {record.seq}"):
            self._seq += 1
            if record.seq != self._seq or record.seq > self._head:
                raise ValueError(f"event {self._seq} was to come here, of {self._head}")
            workflow = self._known(record.workflow)
            if record.state_before is not None and record.state_before not in workflow.positions:
                raise ValueError(f"workflow {record.workflow} has no state {record.state_before!r}")
            cause = None if record.cause is None else EncodedCause(record.cause.decode())
            return EventDraft(
                _timestamp(record.ctime), Action(record.action), record.job_id, record.client_id, workflow,
                record.payload, record.state_before, cause,
            )  # fmt: skip

    def _known(self, number: int) -> Workflow:
        workflow = self._workflows.get(number)
        if workflow is None:
            raise ValueError(f"it refers to workflow {number}, which is not in the dump")
        return workflow


def _entry(record: EntryRecord) -> HistoryEntry:
    return HistoryEntry(_timestamp(record.mtime), record.status, record.definition)


def _timestamp(microseconds: int) -> Timestamp:
    if microseconds not in _TIMES:
        raise ValueError(f"its time {microseconds} is not within the years 1 to 9999")
    return Timestamp(microseconds)


@contextmanager
def _naming(record: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        raise ValueError(f"{record}: {exc}") from exc
