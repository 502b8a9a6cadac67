"""Write operations of a store, one record for each, and ids of new jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from wfx.domain.cause import UNKNOWN, EncodedCause
from wfx.domain.device import DeviceDescription, Sighting
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.begin import Begin, nothing
from wfx.store.bulk import BulkRecord, SliceRecord, TellSlice
from wfx.store.protocol import DecideChange, DecideCreation, RequireJob
from wfx.store.rule_records import NOTHING, RuleRecords, TaskOutcome

TellEvent = Callable[[Sequence[Any]], str]
"""Makes the answer to an event of the results of its operations; pure, since it may be asked more than once."""
TellTask = Callable[[Sequence[Any]], TaskOutcome]
"""Tells what became of a task, of the results of its operations; pure, as above. What it raises undoes them."""


class CreateJob(NamedTuple):
    """Create a job of the named workflow."""

    workflow: str
    decide: DecideCreation
    size: int = 0
    """Bytes of the documents that it brings."""
    cause: EncodedCause = UNKNOWN
    id: UUID | None = None
    """The id to give it, if no job has that; a new one by default."""


class ChangeJob(NamedTuple):
    """Change a job as the decision says."""

    job_id: str
    decide: DecideChange
    size: int = 0
    """Bytes of the documents that it brings."""
    cause: EncodedCause = UNKNOWN


class DeleteJob(NamedTuple):
    """Remove a job with its history."""

    job_id: str
    cause: EncodedCause = UNKNOWN
    version: int | None = None
    """The version that it must have still; any by default."""
    require: RequireJob | None = None
    """Raises a domain error for a job that is to stay."""


@dataclass(frozen=True, slots=True)
class CreateWorkflow:
    """Store a checked workflow."""

    workflow: Workflow
    cause: EncodedCause = UNKNOWN
    begin: Begin = nothing
    """Called before anything is done; raises a domain error to refuse."""


@dataclass(frozen=True, slots=True)
class DeleteWorkflow:
    """Remove a workflow that no job refers to."""

    name: str
    cause: EncodedCause = UNKNOWN
    begin: Begin = nothing
    """Called before anything is done; raises a domain error to refuse."""


@dataclass(frozen=True, slots=True)
class PruneLog:
    """Drop the oldest events."""

    keep_newest: int
    older_than: Timestamp
    at_most: int
    keep_for_consumers: int


@dataclass(frozen=True, slots=True)
class RunChores:
    """Do background work that the store has put off."""

    at_most: int


@dataclass(frozen=True, slots=True)
class DropTombstones:
    """Drop tombstones from before a moment, and those that are too many."""

    older_than: Timestamp
    at_most: int


@dataclass(frozen=True, slots=True)
class OpenConsumer:
    """Create a consumer if there is none with this name, and tell its place."""

    name: str


@dataclass(frozen=True, slots=True)
class TakeLease:
    """Take a lease, or renew it, unless another holder has it."""

    name: str
    holder: str
    ttl: int
    """How long it holds, in microseconds."""

    def latest_end(self, now: int) -> int:
        """Return how late another holder's lease may end: one that ends later is from before the clock was set back.

        Twice the time leaves room for a clock that is set back a little, and for holders with another time.
        """
        return now + 2 * self.ttl


@dataclass(frozen=True, slots=True)
class EndLeases:
    """End the leases that a holder has."""

    holder: str


@dataclass(frozen=True, slots=True)
class NoteSightings:
    """Note when devices were seen."""

    sightings: Sequence[Sighting]
    """Of different devices, in the order of their ids."""
    now: int
    forgets: bool
    """Whether those that nobody knows and that were not seen for long make room, if need be."""


@dataclass(frozen=True, slots=True)
class DescribeDevice:
    """Replace what is said about a device."""

    client_id: str
    description: DeviceDescription
    expected: Collection[str] | None
    """One of these tags must have what was said until now, unless it is said already; None for anything."""

    @property
    def allowed(self) -> set[str] | None:
        """The tags of what may have been said until now, that of the new description among them; None for anything."""
        return None if self.expected is None else {*self.expected, self.description.tag}


@dataclass(frozen=True, slots=True)
class DeleteDevice:
    """Forget a device that has no jobs."""

    client_id: str


DeviceOperation = NoteSightings | DescribeDevice | DeleteDevice


@dataclass(frozen=True, slots=True)
class OpenBulk:
    """Make the record of a bulk request, or take it over, unless somebody else carries it out."""

    key: str
    record: BulkRecord
    """The record to make if there is none."""
    holder: str
    ttl: int
    """For how many microseconds others leave it to the holder."""


@dataclass(frozen=True, slots=True)
class ClaimTasks:
    """Take tasks that are due, of these kinds, so that nobody else has them for some time."""

    kinds: Sequence[str]
    at_most: int
    ttl: int
    """For how many microseconds."""


@dataclass(frozen=True, slots=True)
class ReplayTask:
    """Have a failed task done once more."""

    id: int


@dataclass(frozen=True, slots=True)
class HastenTasks:
    """Have tasks of these kinds that wait be due now."""

    kinds: Sequence[str]
    ids: Sequence[int] | None = None
    """Those with these ids only."""


@dataclass(frozen=True, slots=True)
class DropTasks:
    """Drop finished tasks from before a moment, and those that are too many."""

    older_than: Timestamp
    at_most: int


TaskOperation = ClaimTasks | ReplayTask | HastenTasks | DropTasks


@dataclass(frozen=True, slots=True)
class PutScript:
    """Have a source be what the name of a script stands for."""

    name: str
    sha256: str
    """Of the source."""
    source: str
    size: int
    """Bytes of the source."""
    findings: Json


@dataclass(frozen=True, slots=True)
class DeleteScript:
    """Have the name of a script stand for nothing."""

    name: str


ScriptOperation = PutScript | DeleteScript

JobOperation = CreateJob | ChangeJob | DeleteJob
"""Operations that come in masses; many are worked out together, see :class:`~wfx.store.plan.Plan`."""
ExclusiveOperation = (
    CreateWorkflow
    | DeleteWorkflow
    | PruneLog
    | RunChores
    | DropTombstones
    | OpenConsumer
    | TakeLease
    | EndLeases
    | DeviceOperation
    | OpenBulk
    | TaskOperation
    | ScriptOperation
)
"""Operations that are done one by one on the tables."""


@dataclass(frozen=True, slots=True)
class TakeStep:
    """Do operations and move a consumer's place, both or neither; a batch of its own."""

    consumer: str
    after: int
    """The place that the consumer must have."""
    number: int
    """The steps that it must have taken."""
    upto: int
    """The place that it is to have."""
    operations: Sequence[JobOperation]
    records: RuleRecords = NOTHING
    now: int = 0
    """The time of the records."""


@dataclass(frozen=True, slots=True)
class TakeEvent:
    """Do what follows from an event from outside, once, and keep its answer; a batch with others of its kind."""

    key: str
    """What the event's id is kept as."""
    operations: Sequence[JobOperation]
    records: RuleRecords
    tell: TellEvent
    now: int
    is_kept: bool = True
    """Whether its answer is."""

    def kept(self, answer: str) -> Sequence[tuple[str, str]]:
        """Return what is kept of an answer."""
        return [(self.key, answer)] if self.is_kept else []


@dataclass(frozen=True, slots=True)
class EventAnswers:
    """What is written of events from outside beside their changes; nothing if one has an answer already."""

    answers: Sequence[tuple[str, str]]
    """What each event's id is kept as, and its answer, of those whose answers are kept."""
    records: RuleRecords
    now: int


@dataclass(frozen=True, slots=True)
class FinishTask:
    """Do operations and note what became of a task, both or neither; a batch of its own."""

    id: int
    attempts: int
    """How often it must have been claimed."""
    outcome: TaskOutcome
    operations: Sequence[JobOperation]
    records: RuleRecords
    now: int
    tell: TellTask | None = None
    """Makes the outcome, if that depends on the results of the operations."""
    key: str = ""
    """Its key, by which its result is sealed."""

    @property
    def due(self) -> int:
        """When it may be claimed again."""
        return self.now if self.outcome.due is None else self.outcome.due


@dataclass(frozen=True, slots=True)
class TakeSlice:
    """Do items of a bulk request and write down what became of them, both or neither; a batch of its own."""

    key: str | None
    """The idempotency key; None if nothing is kept."""
    holder: str
    ttl: int
    """For how many microseconds others leave the request to the holder."""
    done: int
    """How many items must have been done."""
    items: Sequence[Sequence[JobOperation]]
    """Each is about one job, and each about another."""
    tell: TellSlice


RuleCheckpoint = TakeStep | EventAnswers | FinishTask
"""Checkpoints that may have records of rules."""
Checkpoint = RuleCheckpoint | SliceRecord
"""What is compared and written in the transaction of a plan: both, or neither."""
Operation = JobOperation | ExclusiveOperation | TakeStep | TakeSlice | TakeEvent | FinishTask


_MILLISECONDS = 48
"""Bits of the time; the other 80 are random, but for six that make way for the version and the variant."""
_VARIANTS = "89ab"


def job_id(moment: int) -> str:
    """Make a UUID of version 4 (rest-api section 4) that begins with the milliseconds since 1970.

    ``moment`` is in microseconds. Ids that rise with time are put at the end of an index, one beside the other; random
    ones would each touch a page of their own. 74 bits are random.
    """
    time = f"{moment // 1000 % (1 << _MILLISECONDS):012x}"
    noise = os.urandom(10).hex()
    return f"{time[:8]}-{time[8:]}-4{noise[1:4]}-{_VARIANTS[int(noise[4], 16) % 4]}{noise[5:8]}-{noise[8:]}"
