"""Place of the rules on the log, and the steps that move it.

What an event brings about is done in the transaction that moves the place behind it, so it happens once, whatever ends
when. An event that brings nothing about moves the place only in memory, until somebody asks for a step.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Any

from wfx.domain.cause import Cause
from wfx.domain.errors import JobNotFound, LogPositionError, StepTaken, StoreError
from wfx.domain.job import Event as LogEvent
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.reactions.admission import Admission
from wfx.reactions.effects import UNCOUNTED, Lineage, caused_by, effects_of
from wfx.reactions.event_of_log import event_of_log, tells_tags
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.step_draft import StepDraft
from wfx.reactions.tokens import NOBODY, Owner
from wfx.reactions.turn import LEASE, NAME, Turn
from wfx.rules.event import Event
from wfx.rules.graph import Graph
from wfx.service.bounded_counts import BoundedCounts
from wfx.store.operations import CreateJob, JobOperation
from wfx.store.protocol import Consumer, Store
from wfx.store.upkeep import present

_logger = logging.getLogger("wfx")


class Again(Exception):
    """The place is to be read again, and to be gone on from."""


class _Unwritable(Exception):
    """No store can write it."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class RuleSteps:
    """The place, and the draft of the next step."""

    def __init__(
        self,
        store: Store,
        figures: RuleFigures,
        fatals: Fatals,
        created: BoundedCounts,
        admission: Admission,
        most_repetitions: Callable[[], int],
        turn: Turn,
    ) -> None:
        """Take steps in this store; ``created`` counts jobs by workflow, ``admission`` gives tokens to what may begin.

        ``most_repetitions`` tells how often an action may be taken in one chain of events.
        """
        self._store = store
        self._figures = figures
        self._fatals = fatals
        self._created = created
        self._admission = admission
        self._most_repetitions = most_repetitions
        self._turn = turn
        self._alone_until = 0
        """Events up to this one are done one by one."""
        self.log_id = ""
        self.place = Consumer(NAME, 0, 0, 0)
        self.draft = StepDraft(store, 0)
        self.failures = 0
        """Since the last step."""

    async def open(self) -> None:
        """Find the place, which for the first time is the head of the log."""
        self.place = await self._store.consumer(NAME)
        self.log_id = (await self._store.log_bounds()).log_id
        self.draft = StepDraft(self._store, self.place.position)

    @property
    def has_moved(self) -> bool:
        """Whether events were looked at that the store does not know of."""
        return self.draft.upto > self.place.position

    def skip(self, event: LogEvent) -> None:
        """Go past an event that brings nothing about."""
        self.draft.upto = event.seq

    async def take(self, graph: Graph, event: LogEvent, now: datetime) -> float:
        """Put into the draft what an event brings about; return the seconds of work. Raises as :meth:`step`."""
        is_full = self.draft.is_full or bool(len(self.draft) and self.draft.upto < self._alone_until)
        if is_full or self.draft.changes(event.job_id):
            await self.step()
        seen = event_of_log(event, self.log_id, await self._tags_of(event))
        owner = Owner(event.client_id, event.workflow.name)
        seconds = await self.evaluate(graph, seen, f"{self.log_id}/{event.seq}", caused_by(event), now, owner)
        self.draft.upto = event.seq
        return seconds

    async def evaluate(
        self, graph: Graph, event: Event, key: str, cause: Cause, now: datetime, owner: Owner = NOBODY
    ) -> float:
        """Put into the draft what an event of this owner brings about; return the seconds of work.

        Raises StoreError.
        """
        facts = self.draft.facts
        before, seconds = facts.seconds, 0.0
        try:
            evaluation = await facts.evaluate(graph, event, now)
            self._figures.note_evaluation(event, evaluation)
            if evaluation.matched:
                lineage = await self._lineage(cause)
                began = monotonic()
                effects = effects_of(
                    evaluation, key=key, cause=cause, now=present(), facts=facts, lineage=lineage, owner=owner
                )
                self.draft.add(event, effects, cause.root)
                seconds = monotonic() - began
        except StoreError:
            raise
        except Exception as exc:  # the next events are none the worse
            self._fatals.note(f"event {event.id} cannot be evaluated: {exc}")
            _logger.exception("an event cannot be evaluated", extra={"fields": {"event": event.id}})
        return seconds + facts.seconds - before

    async def step(self) -> None:
        """Do what is in the draft, and go on with a new one. Raises Again, StepTaken and StoreError."""
        draft, place = self.draft, self.place
        try:
            await draft.admit(self._admission, self._pause)
            answers = await self._write(draft)
        except (Again, StepTaken):  # surely nothing was written, and another server may do it
            await draft.note_undone(self._admission)
            raise
        except _Unwritable as exc:
            await self._leave_out(draft, exc.reason)
            return
        draft.note_done(self._admission)
        self.place = replace(place, position=draft.upto, steps=place.steps + 1)
        self.draft = StepDraft(self._store, draft.upto)
        self.failures = 0
        for event, root, results in draft.results(answers):
            self._figures.note_results(event, results, root)
        self._count_created(draft.operations, answers)

    async def _write(self, draft: StepDraft) -> Sequence[Any]:
        """Have the store do what is in a draft. Raises _Unwritable, StepTaken and StoreError."""
        place = self.place
        try:
            return await self._store.step(
                NAME, place.position, place.steps, draft.upto, draft.operations, draft.records
            )
        except (StepTaken, StoreError, LogPositionError):
            raise
        except Exception as exc:
            raise _Unwritable(exc) from exc

    async def _tags_of(self, event: LogEvent) -> Sequence[str]:
        """Return the present tags of an event's job, if they are not told with it; none if it is gone."""
        if tells_tags(event):
            return ()
        try:
            job = await self._store.get_job(event.job_id)
        except JobNotFound:
            return ()
        tags: Sequence[str] = decode(job.tags)
        return tags

    async def _lineage(self, cause: Cause) -> Lineage:
        """Return how often actions were taken in the chain that effects with this cause become a part of.

        The first event of a chain is counted only if there is a limit for each action: most chains end there.
        """
        limit = self._most_repetitions()
        if cause.root is not None and cause.depth > 1:
            return await self.draft.facts.lineage(str(cause.root), limit)
        return self.draft.facts.begin_chain(str(cause.root), limit) if limit and cause.root is not None else UNCOUNTED

    async def _pause(self, seconds: float) -> None:
        """Wait for a limit while the work is this server's. Raises Again."""
        await asyncio.sleep(min(seconds, LEASE / 3))
        if not await self._turn.is_ours():
            raise Again("another server has the rules")

    async def _leave_out(self, draft: StepDraft, exc: Exception) -> None:
        """Have events done one by one if they cannot be done together; leave out one that cannot be done alone."""
        if not len(draft):
            raise exc
        if len(draft) > 1:
            self._alone_until = draft.upto
            raise Again(str(exc)) from exc
        _logger.error("the effects of an event cannot be stored", exc_info=exc)
        await draft.note_undone(self._admission)
        for event, root, results in draft.failed(str(exc)):
            self._figures.note_results(event, results, root)
        self.draft = StepDraft(self._store, draft.upto)
        await self.step()

    def _count_created(self, operations: Sequence[JobOperation], answers: Sequence[Any]) -> None:
        for operation, answer in zip(operations, answers, strict=True):
            if isinstance(operation, CreateJob) and isinstance(answer, Job):
                self._created.note(answer.workflow.name)
