"""Writes batches of operations: plans those on jobs, has the plan stored, and publishes its events."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, cast

from wfx.domain.errors import SequenceTaken, StoreBusy, StoreFull, WfxError
from wfx.domain.job import Event, Job
from wfx.store.backend import Applied, Backend, EventTaken, JobsLocked, Snapshot
from wfx.store.batching import AGAIN, LARGE, Answers, as_exception
from wfx.store.bulk import ItemOutcome, SliceRecord, SliceResult
from wfx.store.event_group import EventGroup
from wfx.store.feed import Feed
from wfx.store.operations import (
    ChangeJob,
    CreateJob,
    CreateWorkflow,
    DeleteWorkflow,
    EventAnswers,
    ExclusiveOperation,
    FinishTask,
    JobOperation,
    Operation,
    RuleCheckpoint,
    TakeEvent,
    TakeSlice,
    TakeStep,
)
from wfx.store.plan import Clock, Plan
from wfx.store.protocol import EVERYTHING
from wfx.store.rule_records import AnswersTo, SequencesNamed

_log = logging.getLogger(__name__)

_SMALL = 128 * 1024
"""Bytes of a job, or of what a change brings, up to which many are changed in one transaction."""

_TOLD_AGAIN = 60.0
"""Seconds until the log has one more record that the store is full."""


class BatchWriter:
    """Does one batch at a time, as its caller sees to."""

    def __init__(self, backend: Backend, feed: Feed, clock: Clock) -> None:
        self._backend = backend
        self._feed = feed
        self._clock = clock
        self._told_full = -_TOLD_AGAIN

    async def write(self, operations: Sequence[Operation]) -> Answers:
        """Do an exclusive operation, or operations on jobs in order, and make them durable together.

        Raises StoreUnavailable or StoreFull, and then none of them has happened.
        """
        try:
            return await self._write(operations)
        except StoreFull as exc:
            self._tell_full(exc)
            raise

    async def _write(self, operations: Sequence[Operation]) -> Answers:
        if isinstance(operations[0], ExclusiveOperation):
            if isinstance(operations[0], CreateWorkflow | DeleteWorkflow):
                operations[0].begin()
            performed = await self._backend.perform(operations[0], self._clock())
            self._feed.publish(performed.events)
            return [performed.result]
        match operations[0]:
            case TakeStep() | FinishTask() as step:
                return [await self._step(step)]
            case TakeSlice() as piece:
                return [await self._slice(piece)]
            case TakeEvent():
                return await self._events(cast("Sequence[TakeEvent]", operations))
        return await self._change(cast("Sequence[JobOperation]", operations))

    def _tell_full(self, error: StoreFull) -> None:
        """Write a record of the log, but not for each change."""
        if time.monotonic() - self._told_full >= _TOLD_AGAIN:
            self._told_full = time.monotonic()
            _log.error("changes are refused: %s", error)

    async def _change(self, operations: Sequence[JobOperation]) -> Answers:
        ids = {operation.job_id for operation in operations if not isinstance(operation, CreateJob)}
        names = {operation.workflow for operation in operations if isinstance(operation, CreateJob)}
        room = EVERYTHING if len(operations) == 1 else _SMALL
        snapshot = await self._backend.load(set(filter(is_text, ids)), set(filter(is_text, names)), room)
        plan, large = Plan(snapshot.jobs, snapshot.workflows, self._clock), snapshot.large
        answers = [
            LARGE if large and _job_of(operation) in large else _attempt(plan, operation) for operation in operations
        ]
        if not plan.events:
            return answers
        try:
            applied = await self._backend.apply(plan)
        except JobsLocked as exc:
            return [StoreBusy(*exc.args) if _job_of(each) in exc.ids else AGAIN for each in operations]
        self._feed.publish(_events(plan, applied))
        return _without_stale(operations, answers, applied.stale) if applied.stale else answers

    async def _step(self, step: TakeStep | FinishTask) -> Any:
        """Do the operations of a step or a task, and note it; return the answers to its operations."""
        plan, answers = await self._planned(step.operations)
        if isinstance(step, FinishTask) and step.tell is not None:
            step = replace(step, outcome=step.tell(answers))
        return answers if await self._commit(plan, step) else AGAIN

    async def _events(self, events: Sequence[TakeEvent]) -> Answers:
        """Do what follows from events, together if that goes, and return their answers."""
        if len(events) == 1 or any(brings_much(each) for event in events for each in event.operations):
            return [await self._alone(event) for event in events]
        answers = dict(await self._backend.read_rules(AnswersTo([event.key for event in events])))
        names = list({name for event in events for name in event.records.sequences})
        present = await self._backend.read_rules(SequencesNamed(names)) if names else {}
        group = EventGroup(events, answers, present)
        if group.taken:
            found = await self._together(group)
            if found is None:
                return [group.refused.get(n) or await self._alone(event) for n, event in enumerate(events)]
            answers |= found
        return [group.refused.get(place) or answers[event.key] for place, event in enumerate(events)]

    async def _together(self, group: EventGroup) -> Mapping[str, Any] | None:
        """Do what follows from events in one transaction, and return their answers; None if that does not go."""
        snapshot = await self._load(group.operations, _SMALL)
        if snapshot.large:
            return None
        plan = Plan(snapshot.jobs, snapshot.workflows, self._clock)
        answers = {
            event.key: event.tell([_attempt(plan, operation) for operation in event.operations])
            for event in group.taken.values()
        }
        try:
            done = await self._commit(plan, group.checkpoint(answers))
        except (EventTaken, SequenceTaken, JobsLocked):  # by another server, meanwhile
            return None
        return answers if done else dict.fromkeys(answers, AGAIN)

    async def _alone(self, event: TakeEvent) -> Any:
        """Do what follows from an event and return the answer, or what is to be raised: others have been done."""
        try:
            return await self._event(event)
        except WfxError as exc:
            if isinstance(exc, StoreFull):
                self._tell_full(exc)
            return exc.with_traceback(None)
        except Exception as exc:  # noqa: BLE001 - it goes to the caller whose event caused it
            return as_exception(exc)

    async def _event(self, event: TakeEvent) -> Any:
        """Do what follows from an event and return the answer; if that is there already, do nothing."""
        plan, results = await self._planned(event.operations)
        answer = event.tell(results)
        try:
            done = await self._commit(plan, EventAnswers(event.kept(answer), event.records, event.now))
        except EventTaken:
            known = await self._backend.read_rules(AnswersTo([event.key]))
            return known.get(event.key, AGAIN)  # it may have been dropped meanwhile
        return answer if done else AGAIN

    async def _planned(self, operations: Sequence[JobOperation]) -> tuple[Plan, Answers]:
        """Plan operations; return the answers to them, too."""
        snapshot = await self._load(operations, EVERYTHING)
        plan = Plan(snapshot.jobs, snapshot.workflows, self._clock)
        return plan, [_attempt(plan, operation) for operation in operations]

    async def _commit(self, plan: Plan, checkpoint: RuleCheckpoint) -> bool:
        """Write a plan with what is noted with it; tell whether no job was stale."""
        applied = await self._backend.apply(plan, checkpoint)
        if not applied.stale:
            self._feed.publish(_events(plan, applied))
        return not applied.stale

    async def _slice(self, wanted: TakeSlice) -> SliceResult | object:
        """Do the first items of a slice, and write down what became of them."""
        items, room, locked = wanted.items, _SMALL, dict[str, Exception]()
        while True:
            snapshot = await self._load([each for item in items for each in item], room)
            if not (small := _before_large(items, snapshot.large)):
                items, room = items[:1], EVERYTHING
                continue
            items = small
            plan = Plan(snapshot.jobs, snapshot.workflows, self._clock)
            before = {each.job.id: each.job for each in snapshot.jobs}
            result = wanted.tell([_outcome(plan, item, before, locked) for item in items])
            if wanted.key is None and not plan.events:
                return result
            record = SliceRecord(wanted.key, wanted.holder, wanted.ttl, wanted.done, result)
            try:
                applied = await self._backend.apply(plan, record)
            except JobsLocked as exc:
                locked |= dict.fromkeys(exc.ids, StoreBusy(*exc.args))
                continue
            if applied.stale:
                return AGAIN
            self._feed.publish(_events(plan, applied))
            return result

    async def _load(self, operations: Sequence[JobOperation], room: int) -> Snapshot:
        """Return what a step or slice begins with."""
        ids = {
            str(each.id) if isinstance(each, CreateJob) else each.job_id
            for each in operations
            if not isinstance(each, CreateJob) or each.id
        }
        names = {each.workflow for each in operations if isinstance(each, CreateJob)}
        return await self._backend.load(set(filter(is_text, ids)), set(filter(is_text, names)), room)


def is_text(key: str) -> bool:
    """Tell whether a key is Unicode text: half a surrogate pair names nothing, and no database could look for it."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_exclusive(operation: Operation) -> bool:
    """Tell whether an operation is a whole batch."""
    return not isinstance(operation, JobOperation)


def are_events(first: Operation, other: Operation) -> bool:
    """Tell whether both are events from outside, of which many are done together."""
    return isinstance(first, TakeEvent) and isinstance(other, TakeEvent)


def brings_much(operation: Operation) -> bool:
    """Tell whether an operation brings so much that small ones must not wait for several of its kind."""
    return isinstance(operation, (ChangeJob, CreateJob)) and operation.size > _SMALL


def _events(plan: Plan, applied: Applied) -> list[Event]:
    drafts = [draft for draft in plan.events if draft.job_id not in applied.stale] if applied.stale else plan.events
    return [Event(seq, *draft) for seq, draft in enumerate(drafts, applied.first_seq)]


def _without_stale(operations: Sequence[JobOperation], answers: Answers, stale: Collection[str]) -> Answers:
    """Have those operations done again whose jobs were not written."""
    return [
        AGAIN if (answer.id if isinstance(answer, Job) else _job_of(operation)) in stale else answer
        for operation, answer in zip(operations, answers, strict=True)
    ]


def _job_of(operation: JobOperation) -> str | None:
    return None if isinstance(operation, CreateJob) else operation.job_id


def _before_large(items: Sequence[Sequence[JobOperation]], large: Collection[str]) -> Sequence[Sequence[JobOperation]]:
    """Return the items that come before the first one on a large job."""
    return [*takewhile(lambda item: _job_of(item[0]) not in large, items)]


def _outcome(
    plan: Plan, item: Sequence[JobOperation], before: Mapping[str, Job], locked: Mapping[str, Exception]
) -> ItemOutcome:
    """Do an item up to the first operation that is refused."""
    job_id = _job_of(item[0])
    answer: Any = None if job_id is None else locked.get(job_id)
    for operation in item if answer is None else ():
        answer = _attempt(plan, operation)
        if isinstance(answer, Exception):
            break
    error = answer if isinstance(answer, Exception) else None
    return ItemOutcome(None if job_id is None else before.get(job_id), None if error else answer, error)


def _attempt(plan: Plan, operation: JobOperation) -> Any:
    try:
        return plan.perform(operation)
    except WfxError as exc:
        return exc.with_traceback(None)  # it holds the frame that will hold this answer: a cycle
    except KeyboardInterrupt:  # it is no decision's
        raise
    except BaseException as exc:  # noqa: BLE001 - whatever a decision raises is for its own caller
        return as_exception(exc)
