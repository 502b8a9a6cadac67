"""Consumer of the log that has the rules work on each change of a job (``spec/decisions/0092-rules-on-the-log.md``).

It follows the log, has a step taken for what events bring about, and tries again after failures.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Self

from wfx.domain.cause import Cause
from wfx.domain.errors import LogPositionError, StepTaken, StoreError
from wfx.domain.job import Event as LogEvent
from wfx.reactions.admission import Admission
from wfx.reactions.event_of_log import type_of
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.first_look import FirstLook
from wfx.reactions.log_reader import LogReader
from wfx.reactions.pace import SLICE, Pace
from wfx.reactions.rule_steps import Again, RuleSteps
from wfx.reactions.rules import Rules
from wfx.reactions.turn import LEASE, Turn
from wfx.rules.event import FATAL, JOB_TYPES
from wfx.service.bounded_counts import BoundedCounts
from wfx.store.protocol import Store
from wfx.tasks.trying_again import growing_pause

_SAVE = 1.0
"""Seconds after which a place is stored that was moved by events without effects."""
_SHORTEST, _LONGEST = 0.25, 30.0
"""Seconds to the next attempt after a failure: twice as many after each one, about."""
_TYPES = frozenset({*JOB_TYPES, FATAL})
"""Types of events that the consumer has evaluated; those from outside are none of them."""
_logger = logging.getLogger("wfx")


class RuleConsumer:
    """The background task; an async context manager. It sleeps while there are no rules for changes of jobs."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        figures: RuleFigures,
        fatals: Fatals,
        created: BoundedCounts,
        admission: Admission,
        most_repetitions: Callable[[], int],
        *,
        is_shared: bool,
        pace: Pace | None = None,
    ) -> None:
        """Work on this store by these rules; see :class:`RuleSteps`. Servers that share the store take turns."""
        self._store = store
        self._rules = rules
        self._figures = figures
        self._fatals = fatals
        self._turn = Turn(store, is_shared=is_shared)
        self._pace = pace or Pace()
        self.steps = RuleSteps(store, figures, fatals, created, admission, most_repetitions, self._turn)
        self._first_look = FirstLook(None, "")
        self._has_rules = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        rules.observe(self._look_at_rules)

    async def __aenter__(self) -> Self:
        """Begin in the background."""
        self._look_at_rules()
        self._task = asyncio.create_task(self._run(), name="rules")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the task; leave before the store closes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _look_at_rules(self) -> None:
        if self._rules.graph is not None and not _TYPES.isdisjoint(self._rules.graph.by_type):
            self._has_rules.set()
        else:
            self._has_rules.clear()

    async def _run(self) -> None:
        while True:
            await self._has_rules.wait()
            try:
                await self._work()
            except (StepTaken, Again) as exc:
                _logger.debug("rules read their place on the log again: %s", exc)
                await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - for others that try the same
            except Exception as exc:  # noqa: BLE001 - it is told, and tried again
                await self._failed(exc)

    async def _failed(self, exc: Exception) -> None:
        """Count what is fatal, and wait a while."""
        self._fatals.note(str(exc) or type(exc).__name__)
        self.steps.failures += 1
        pause = growing_pause(self.steps.failures, _SHORTEST, _LONGEST)
        fields = {"error": str(exc), "seconds": round(pause, 1)}
        details = None if isinstance(exc, StoreError | LogPositionError) else exc
        _logger.warning("rules cannot go on, trying again", extra={"fields": fields}, exc_info=details)
        await asyncio.sleep(pause)

    async def _work(self) -> None:
        """Follow the log as long as there are rules for it, and no other server does so."""
        if not await self._turn.is_ours():
            await asyncio.sleep(LEASE / 3)
            return
        reader, steps = LogReader(self._store), self.steps
        try:
            await steps.open()
            reader.position = steps.place.position
            self._first_look = FirstLook(self._rules.graph, steps.log_id)
            saved = monotonic()
            while self._has_rules.is_set() and await self._turn.is_ours():
                events = await reader.read(_SAVE)
                await self._follow(events, reader.behind)
                await self._tell_fatal_errors()
                if len(steps.draft) or (steps.has_moved and monotonic() - saved >= _SAVE):
                    await steps.step()
                    saved = monotonic()
                if events:
                    await self._pace.rest(reader.behind)
        finally:
            await reader.close()

    async def _follow(self, events: Sequence[LogEvent], behind: int) -> None:
        """Put into the draft what events bring about; ``behind`` is how many there are after them."""
        done = 0
        while done < len(events):
            graph = self._rules.graph
            if self._first_look.graph is not graph:
                self._first_look = FirstLook(graph, self.steps.log_id)
            done += self._skip(events[done:])
            if done < len(events) and graph is not None and not self._pace.is_due:
                self._pace.note(await self.steps.take(graph, events[done], datetime.now(UTC)))
                done += 1
            if self._pace.is_due and done < len(events):
                if len(self.steps.draft):
                    await self.steps.step()
                await self._pace.rest(behind + len(events) - done)
                if not await self._turn.is_ours():
                    raise Again("another server has the rules")

    def _skip(self, events: Sequence[LogEvent]) -> int:
        """Go past events that bring nothing about, for the time of a slice at most; return how many they are."""
        look, began, now = self._first_look, self._pace.clock(), datetime.now(UTC)
        skipped = 0
        for event in events:
            if (branch := look.branch(event)) is not None:
                if look.may_do(event, branch, now):
                    break
                self._figures.events.note(type_of(event))
            self.steps.skip(event)
            skipped += 1
            if self._pace.clock() - began >= SLICE:
                break
        self._pace.note(self._pace.clock() - began)
        return skipped

    async def _tell_fatal_errors(self) -> None:
        """Put into the draft what the event of fatal errors brings about, if there were any."""
        event, graph = self._fatals.due(), self._rules.graph
        if event is None or graph is None:
            return
        if event.type in graph.by_type:
            await self.steps.evaluate(graph, event, f"{self.steps.log_id}/{event.id}", Cause(), datetime.now(UTC))
            if len(self.steps.draft):
                await self.steps.step()
        self._fatals.told(event)
