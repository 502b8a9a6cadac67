"""Domain objects of the records of a dump, which are checked on the way.

Each raises ValueError, naming the record, for one that contradicts itself or those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wfx.domain import tags
from wfx.domain.cause import EncodedCause
from wfx.domain.definition import hash_of
from wfx.domain.device import DeviceDescription
from wfx.domain.errors import DescriptionInvalid
from wfx.domain.job import Action, HistoryEntry, Job
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.device_lists import is_id
from wfx.store.dump import ConsumerRecord, DeviceRecord, EntryRecord, EventRecord, Header, JobRecord, WorkflowRecord
from wfx.store.findings import UNREADABLE
from wfx.store.plan import EventDraft

_NUMBERS = range(1, 1 << 40)
"""Numbers that a workflow may have: those of its states are larger, and integers of 64 bits."""
_MOST_STATES = 1 << 16
"""States that a workflow may have, for the same reason."""
_LONGEST_NAME = 80
"""Characters of a record's name that are shown, so that there is room for the reason."""
_YEARS = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""Times in the years 1 to 9999, which can be shown."""


class RecordReader:
    """Turns records into what they stand for; they are to come in the order of the dump."""

    def __init__(self, header: Header) -> None:
        """Begin with no workflow, and before the first event. Raises ValueError for numbers that no log has."""
        if not 0 <= header.horizon <= header.head or header.events != header.head - header.horizon:
            numbers = f"horizon {header.horizon} and head {header.head}"
            raise ValueError(f"a log with {numbers} cannot have this number of events: {header.events}")
        self._workflows: dict[int, Workflow] = {}
        self._deleted: set[int] = set()
        self._horizon, self._head = header.horizon, header.head
        self._seq = header.horizon
        """The event read last."""

    def workflow(self, record: WorkflowRecord) -> Workflow:
        """Return the workflow, and know it from now on."""
        with naming("workflow", record.number):
            workflow = Workflow.from_wire({"transitions": [], **decode(record.document)}, record.number)
            if record.number not in _NUMBERS or record.number in self._workflows:
                raise ValueError("its number is taken, or out of range")
            _require_names(workflow)
            if workflow.encoded != record.document:
                raise ValueError("its document has members that no workflow has")
            self._workflows[record.number] = workflow
            if record.deleted is not None:
                self._deleted.add(record.number)
            return workflow

    def job(self, record: JobRecord) -> tuple[Job, list[tuple[int, HistoryEntry]]]:
        """Return the job, and the entries of its history with the versions that they describe."""
        with naming("job", record.id):
            workflow = self._known(record.workflow)
            if record.workflow in self._deleted or record.state not in workflow.positions:
                raise ValueError(f"it is in a state that workflow {record.workflow} does not have, {record.state!r}")
            _require_documents(record)
            _require_versions(record)
            job = Job(
                id=record.id, client_id=record.client_id, workflow=workflow, state=record.state, status=record.status,
                definition_hash=record.definition_hash, definition=record.definition, tags=record.tags,
                stime=Timestamp(record.stime), mtime=Timestamp(record.mtime), version=record.version,
            )  # fmt: skip
            return job, [(entry.version, _entry(entry)) for entry in record.history]

    def event(self, record: EventRecord) -> EventDraft:
        """Return the event without its number, which is the next one."""
        with naming("event", record.seq):
            self._seq += 1
            if record.seq != self._seq or record.seq > self._head:
                raise ValueError(f"event {self._seq} was to come here, of {self._head}")
            workflow = self._known(record.workflow)
            require_time(record.ctime)
            _require_payload(record, workflow)
            if record.state_before is not None and record.state_before not in workflow.positions:
                raise ValueError(f"workflow {record.workflow} has no state {record.state_before!r}")
            cause = None if record.cause is None else EncodedCause(record.cause.decode())
            return EventDraft(
                Timestamp(record.ctime), Action(record.action), record.job_id, record.client_id, workflow,
                record.payload, record.state_before, cause,
            )  # fmt: skip

    def consumer(self, record: ConsumerRecord) -> None:
        """Take notice of a consumer."""
        with naming("consumer", record.name):
            if not self._horizon <= record.position <= self._head:
                bounds = f"from {self._horizon} to {self._head}"
                raise ValueError(f"its position {record.position} is not one of the log, which are {bounds}")
            if min(record.steps, record.lost) < 0:
                raise ValueError("its steps and lost events are not numbers from 0 on")

    def device(self, record: DeviceRecord) -> DeviceDescription:
        """Return what is said about a device."""
        with naming("device", record.client_id):
            if not is_id(record.client_id):
                raise ValueError("its client id is empty or too long, or has U+0000")
            if (record.first_seen is None) != (record.last_seen is None) or _or(record.first_seen) > _or(
                record.last_seen
            ):
                raise ValueError("the times at which it was seen first and last contradict each other")
            require_time(_or(record.first_seen))
            require_time(_or(record.last_seen))
            if "\0" in record.version:
                raise ValueError("its version has U+0000")
            try:
                description = DeviceDescription.of(decode(record.description))
            except DescriptionInvalid as exc:
                raise ValueError(str(exc)) from exc
            if description.encoded != record.description:
                raise ValueError("its attributes and labels are not sorted, or have further members")
            return description

    def _known(self, number: int) -> Workflow:
        workflow = self._workflows.get(number)
        if workflow is None:
            raise ValueError(f"it refers to workflow {number}, which is not in the dump")
        return workflow


def _require_names(workflow: Workflow) -> None:
    if len(workflow.states) > _MOST_STATES:
        raise ValueError(f"it has more than {_MOST_STATES:,} states")
    names: list[Any] = [workflow.name, workflow.description]
    for state in workflow.states:
        names += state.name, state.description
    for group in workflow.groups or ():
        names += group.name, group.description, *group.states
    for transition in workflow.transitions:
        names += transition.origin, transition.target, transition.description
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise ValueError(f"a name or description in its document is not a string: {wrong[0]!r}")


def _require_documents(record: JobRecord) -> None:
    present = None if record.definition is None else decode(record.definition)
    if not isinstance(present, dict | None):
        raise ValueError("its definition is not a JSON object")  # noqa: TRY004 - as all that is wrong here
    if hash_of(present) != record.definition_hash:
        raise ValueError(f"its definition has not the hash {record.definition_hash}: it was changed")
    status = decode(record.status)
    if (status.get("state"), status.get("definitionHash")) != (record.state, record.definition_hash):
        raise ValueError("its status has another state or definition hash than the job")
    asked = decode(record.tags)
    if not all(isinstance(tag, str) for tag in asked) or tags.ordered(asked) != record.tags:
        raise ValueError("its tags are not strings in order")


def _require_versions(record: JobRecord) -> None:
    """Let times rise from version to version, and the history have each version but for those dropped in one place."""
    times = [record.stime, *(entry.mtime for entry in record.history), record.mtime]
    for moment in times:
        require_time(moment)
    if times != sorted(times) or len(set(times[1:])) < len(times) - 1:
        raise ValueError("the times of its versions do not rise from its stime to its mtime")
    versions = [entry.version for entry in record.history]
    first = next((place for place, version in enumerate(versions) if version != place + 1), len(versions))
    rest = range(first + 1 + record.history_dropped, record.version)
    if record.history_dropped < 0 or versions[first:] != list(rest[: len(versions) + 1]) or record.version < 1:
        raise ValueError(f"its history is not of the versions before {record.version}, but for those dropped")


def _require_payload(record: EventRecord, workflow: Workflow) -> None:
    payload = decode(record.payload)
    member, wanted = ("id", record.job_id) if record.job_id else ("name", workflow.name)
    if payload[member] != wanted:
        raise ValueError(f"its payload is about another {'job' if record.job_id else 'workflow'}")


def _or(moment: int | None) -> int:
    return 0 if moment is None else moment


def _entry(record: EntryRecord) -> HistoryEntry:
    return HistoryEntry(Timestamp(record.mtime), record.status, record.definition)


@contextmanager
def naming(kind: str, name: object) -> Iterator[None]:
    """Name the record in what is raised about it; of a long name the beginning."""
    try:
        yield
    except UNREADABLE as exc:
        raise ValueError(f"{kind} {str(name)[:_LONGEST_NAME]}: {exc}") from exc


def require_time(moment: int) -> None:
    """Raise ValueError for a time that cannot be shown."""
    if moment not in _YEARS:
        raise ValueError(f"it has a time that is not in the years 1 to 9999: {moment}")
