"""Events from outside: queued, evaluated, and answered; what they do is done once for each id."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from wfx.domain.cause import Cause
from wfx.domain.errors import EventQueueFull, EventTimedOut, NoRules, StepTaken, StoreError, StoreUnavailable, WfxError
from wfx.domain.json import Json, decode
from wfx.domain.timestamp import Timestamp
from wfx.limits.policy import Kind
from wfx.reactions.effects import ActionResult, Effects, effects_of
from wfx.reactions.event_answer import answer_of
from wfx.reactions.event_queue import EventQueue
from wfx.reactions.facts import FactStore, GatheredFacts, TooManyFacts
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.pending_event import Batch, PendingEvent, Withdrawn
from wfx.rules.evaluation import Evaluation
from wfx.rules.event import Event
from wfx.rules.graph import Engine, Graph
from wfx.service.limits import Limits
from wfx.store.operations import JobOperation
from wfx.store.rule_records import RuleRecords

log = logging.getLogger(__name__)

_ATTEMPTS = 100
"""How often an event is evaluated while others draw from the same sequences."""
_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds before an event of a batch is tried again after the store has failed."""
_PATIENCE = 10.0
"""Seconds for what is queued when the service stops."""


class EventStore(FactStore, Protocol):
    """What is asked of a store."""

    async def take_event(
        self,
        event_id: str,
        operations: Sequence[JobOperation],
        records: RuleRecords,
        tell: Callable[[Sequence[Any]], str],
    ) -> str:
        """Do what an event brings about and keep its answer, or return the one that is kept."""

    async def read_event_answer(self, event_id: str) -> str | None:
        """Return the answer to an event that is kept, if there is one."""


class CurrentRules(Protocol):
    """The rules that are loaded."""

    @property
    def graph(self) -> Graph | None:
        """Those of now; they may be others next time, or none."""


class Incoming:
    """Takes events from outside. Use as a context manager, on one event loop."""

    def __init__(
        self, store: EventStore, rules: CurrentRules, figures: RuleFigures, fatals: Fatals, limits: Limits
    ) -> None:
        """Evaluate events by these rules, within the limits, and count what comes of it."""
        self._store = store
        self._rules = rules
        self._figures = figures
        self._fatals = fatals
        self._limits = limits
        self._drawing = asyncio.Lock()
        """Held by events that draw from sequences, after another one was quicker."""
        self.queue = EventQueue(self._work_on, lambda: self._engine)
        self.outcomes = Counter(dict.fromkeys(("evaluated", "failed", "refused", "timed_out"), 0))
        """Events by what became of them."""

    async def __aenter__(self) -> Self:
        """Do nothing: events are worked on when they come."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Work on what is queued, for some seconds."""
        if left := await self.queue.close(_PATIENCE):
            log.error("the service stops before all events were evaluated", extra={"fields": {"lost": left}})

    async def tell(self, event: Json, cause: Cause) -> str:
        """Return what the rules did about an event, as JSON.

        Raises NoRules, EventQueueFull, EventTimedOut (then nothing was or will be done), TooManyStarted, and what the
        store raises.
        """
        self._graph()
        loop = asyncio.get_running_loop()
        pending = PendingEvent(event, cause, loop.create_future())
        assert pending.answer is not None
        self._put(pending)
        timer = loop.call_later(self._engine.event_timeout_ms / 1000, self._expire, pending)
        try:
            return await pending.answer
        except asyncio.CancelledError:
            pending.withdraw()
            self.queue.withdraw(pending)
            raise
        finally:
            timer.cancel()

    def queue_batch(self, events: Sequence[Json], cause: Cause) -> tuple[str, int]:
        """Queue the first events, as many as there is room for; return a name for the batch, and their number.

        Raises EventQueueFull if there is room for none, and NoRules.
        """
        self._graph()
        batch = Batch(str(uuid.uuid4()), len(events))
        queued = 0
        try:
            for event in events:
                self._put(PendingEvent(event, cause, batch=batch))
                queued += 1
        except EventQueueFull:
            self.outcomes["refused"] += len(events) - queued - 1
            if not queued:
                raise
            batch.left = queued
        return batch.id, queued

    def _put(self, pending: PendingEvent) -> None:
        try:
            self.queue.put(pending)
        except EventQueueFull:
            self.outcomes["refused"] += 1
            raise

    @property
    def _engine(self) -> Engine:
        graph = self._rules.graph
        return Engine() if graph is None else graph.engine

    def _graph(self) -> Graph:
        """Return the rules. Raises NoRules."""
        graph = self._rules.graph
        if graph is None:
            raise NoRules
        return graph

    def _expire(self, pending: PendingEvent) -> None:
        """Answer that it took too long, unless it is being written: then that is waited for."""
        if pending.withdraw():
            self.queue.withdraw(pending)
            self.outcomes["timed_out"] += 1
            pending.settle(EventTimedOut(self._engine.event_timeout_ms))

    async def _work_on(self, pending: PendingEvent) -> None:
        """Evaluate an event and give its answer."""
        try:
            event, is_named = _event_of(pending.document)
            take = self._take if pending.batch is None else self._take_patiently
            told = await take(pending, event, is_named)
        except Withdrawn:
            return
        except Exception as exc:
            self.outcomes["failed"] += 1
            pending.settle(exc)
            if not isinstance(exc, WfxError):
                self._fatals.note(f"an event from outside was not evaluated: {exc}")
                log.exception("an event from outside was not evaluated")
        else:
            self.outcomes["evaluated"] += 1
            pending.settle(told)

    async def _take_patiently(self, pending: PendingEvent, event: Event, is_named: bool) -> str:
        """Take an event that was accepted, also if the store cannot do its work for a while."""
        for pause in _PAUSES:
            try:
                return await self._take(pending, event, is_named)
            except StoreError:
                await asyncio.sleep(pause)
        return await self._take(pending, event, is_named)

    async def _take(self, pending: PendingEvent, event: Event, is_named: bool) -> str:
        """Carry out what an event brings about, or find that it was done; return the answer."""
        with suppress(StepTaken):
            return await self._attempt(pending, event, is_named)
        async with self._drawing:  # of the events of this server only one is left to draw
            for _ in range(_ATTEMPTS):
                with suppress(StepTaken):
                    return await self._attempt(pending, event, is_named)
        raise StoreUnavailable(f"others draw from the same sequences all the time: given up after {_ATTEMPTS} attempts")

    async def _attempt(self, pending: PendingEvent, event: Event, is_named: bool) -> str:
        now = time.time_ns() // 1000
        facts = GatheredFacts(self._store)
        try:
            evaluation = await facts.evaluate(self._graph(), event, datetime.fromtimestamp(now / 1e6, UTC))
        except TooManyFacts as exc:
            evaluation = Evaluation((), {}, {}, str(exc))
        key = f"event/{uuid.uuid4().hex}"
        effects = effects_of(evaluation, key=key, cause=pending.cause, now=Timestamp(now), facts=facts)
        outcome: list[Sequence[ActionResult]] = []
        answers: list[str] = []

        def tell(results: Sequence[Any]) -> str:
            pending.carry_out()
            outcome[:] = [effects.answers(results)]
            answers[:] = [answer_of(event.id, pending.milliseconds, evaluation, outcome[0])]
            return answers[0]

        if (wanted := [*self._wanted(effects)]) and is_named:
            known = await self._store.read_event_answer(event.id)
            if known is not None:
                return known
        for kind, whose in wanted:  # what was promised waits, what a caller starts is refused
            take = self._limits.require if pending.batch is None else self._limits.admit
            await take(kind, **whose)
        if effects.is_empty and not is_named:
            told = tell(())
        else:
            told = await self._store.take_event(event.id, effects.operations, effects.records, tell)
        if answers == [told]:  # else it was done before
            self._figures.note_evaluation(event, evaluation)
            self._figures.note_results(event, outcome[0])
        return told

    def _wanted(self, effects: Effects) -> Iterator[tuple[Kind, dict[str, str]]]:
        """Return the tokens that effects need: of what kind, and whose."""
        if self._limits.is_set(Kind.INSTANCE_START):
            yield from ((Kind.INSTANCE_START, start._asdict()) for start in effects.starts)
        if self._limits.is_set(Kind.JOB_SCHEDULE):
            yield from ((Kind.JOB_SCHEDULE, {}) for _ in effects.records.tasks)


def _event_of(document: Json) -> tuple[Event, bool]:
    """Return an event, and whether it came with an id; else it is given one."""
    members = decode(document)
    is_named = bool(members.get("id"))
    return Event(**members | {"id": members["id"] if is_named else str(uuid.uuid4())}), is_named
