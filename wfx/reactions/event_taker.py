"""Takes an event from outside: evaluates it, and carries it out unless its id was answered before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from wfx.domain.errors import NoRules, StepTaken, StoreBusy, StoreUnavailable
from wfx.domain.timestamp import Timestamp
from wfx.reactions.admission import Admission
from wfx.reactions.effects import ActionResult, Effects, effects_of
from wfx.reactions.event_answer import answer_of
from wfx.reactions.facts import GatheredFacts, TooManyFacts
from wfx.reactions.figures import RuleFigures
from wfx.reactions.pending_event import PendingEvent, Withdrawn
from wfx.rules.evaluation import Evaluation
from wfx.rules.event import Event
from wfx.rules.graph import Graph
from wfx.store.rule_protocol import EventStore

_ATTEMPTS = 100
"""How often an event is evaluated while others draw from the same sequences."""


class CurrentRules(Protocol):
    """The rules that are loaded."""

    @property
    def graph(self) -> Graph | None:
        """Those of now; they may be others next time, or none."""


class EventTaker:
    """Takes events by the rules, within the limits, and counts what comes of it."""

    def __init__(self, store: EventStore, rules: CurrentRules, figures: RuleFigures, admission: Admission) -> None:
        """Carry events out in this store."""
        self._store = store
        self._rules = rules
        self._figures = figures
        self._admission = admission
        self._drawing = asyncio.Lock()
        """Held by events that draw from sequences, after another one was quicker."""

    def require_rules(self) -> Graph:
        """Return the rules. Raises NoRules."""
        graph = self._rules.graph
        if graph is None:
            raise NoRules
        return graph

    async def take(self, pending: PendingEvent, event: Event, *, is_named: bool) -> str:
        """Carry out what an event brings about, or find that it was done; return the answer.

        Raises Withdrawn, NoRules, TooManyStarted, and what the store raises.
        """
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
            evaluation = await facts.evaluate(self.require_rules(), event, datetime.fromtimestamp(now / 1e6, UTC))
        except TooManyFacts as exc:
            evaluation = Evaluation((), {}, {}, str(exc))
        key = f"event/{pending.key if is_named else event.id}"
        effects = effects_of(evaluation, key=key, cause=pending.cause, now=Timestamp(now), facts=facts)
        if is_named and self._admission.needed(effects):  # what was done before needs no tokens
            known = await self._store.read_event_answer(event.id)
            if known is not None:
                return known
        if pending.batch is None:
            await self._admission.require(effects)
        else:
            effects = await self._admission.admit(effects, asyncio.sleep)
        try:
            return await self._carry_out(pending, event, evaluation, effects, is_named)
        except (Withdrawn, StepTaken, StoreBusy):  # surely nothing was written
            await self._admission.note_undone(effects)
            raise

    async def _carry_out(
        self, pending: PendingEvent, event: Event, evaluation: Evaluation, effects: Effects, is_named: bool
    ) -> str:
        """Have the store do what is to be done; an event without an id that does nothing needs none."""
        results: Sequence[ActionResult] = ()
        told = ""

        def tell(answers: Sequence[Any]) -> str:
            nonlocal results, told
            pending.carry_out()
            results = effects.answers(answers)
            told = answer_of(event.id, pending.milliseconds, evaluation, results)
            return told

        if effects.is_empty and not is_named:
            answer = tell(())
        else:
            answer = await self._store.take_event(event.id, effects.operations, effects.records, tell, is_kept=is_named)
        if answer == told:  # else it was done before
            self._figures.note_evaluation(event, evaluation)
            self._figures.note_results(event, results)
            self._admission.note_done(effects)
        else:
            await self._admission.note_undone(effects)
        return answer
