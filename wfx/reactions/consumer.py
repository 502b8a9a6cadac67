"""Consumer of the log that has the rules work on each change of a job (``spec/decisions/0092-rules-on-the-log.md``).

What an event brings about is done in the transaction that moves the consumer's place behind it, so it happens once,
whatever ends when. An event that brings nothing about moves the place only in memory; once a second it is stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, Self

from wfx.domain.cause import Cause
from wfx.domain.errors import JobNotFound, LogPositionError, StepTaken, StoreError
from wfx.domain.job import Event as LogEvent
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.reactions.effects import UNCOUNTED, Lineage, caused_by, effects_of
from wfx.reactions.event_of_log import event_of_log, tells_tags, type_of
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.log_reader import LogReader
from wfx.reactions.rules import Rules
from wfx.reactions.step_draft import StepDraft
from wfx.reactions.tokens import wanted
from wfx.rules.event import Event
from wfx.rules.graph import Graph
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.limits import Limits
from wfx.store.operations import CreateJob
from wfx.store.protocol import Consumer, Store
from wfx.store.upkeep import present

NAME = "rules"
"""Of the consumer, and of the lease."""
LEASE = 6.0
"""Seconds for which a server has the work to itself; it renews that in a third of the time."""
_SAVE = 1.0
"""Seconds after which a place is stored that was moved by events without effects."""
_SHORTEST, _LONGEST = 0.25, 30.0
"""Seconds to the next attempt after a failure: twice as many after each one, about."""
_LONG, _REST = 0.0002, 9
"""Seconds of an evaluation from which on the next one waits, for so many times as long: requests come first."""
_logger = logging.getLogger("wfx")


class _Again(Exception):
    """The place is to be read again, and to be gone on from."""


class RuleConsumer:
    """The background task; an async context manager. It sleeps while there are no rules."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        figures: RuleFigures,
        fatals: Fatals,
        created: BoundedCounts,
        limits: Limits,
        most_repetitions: Callable[[], int],
        *,
        is_shared: bool,
    ) -> None:
        """Work on this store by these rules.

        ``created`` counts jobs by workflow. What is to begin waits for the ``limits``, ``most_repetitions`` tells how
        often an action may be taken in one chain of events.
        Servers that share the store take turns.
        """
        self._store = store
        self._rules = rules
        self._figures = figures
        self._fatals = fatals
        self._created = created
        self._limits = limits
        self._most_repetitions = most_repetitions
        self._leased = 0.0
        """When the lease was renewed."""
        self._is_shared = is_shared
        self._has_rules = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._alone_until = 0
        """Events up to this one are done one by one."""
        self._rests_until = 0.0
        self._log_id = ""
        self._place = Consumer(NAME, 0, 0, 0)
        self._draft = StepDraft(store, 0)
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
        if self._rules.graph is not None and self._rules.graph.by_type:
            self._has_rules.set()
        else:
            self._has_rules.clear()

    async def _run(self) -> None:
        while True:
            await self._has_rules.wait()
            try:
                await self._work()
            except (StepTaken, _Again) as exc:
                _logger.debug("rules read their place on the log again: %s", exc)
                await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - for others that try the same
            except Exception as exc:  # noqa: BLE001 - it is told, and tried again
                await self._failed(exc)

    async def _failed(self, exc: Exception) -> None:
        """Count what is fatal, and wait a while."""
        self._fatals.note(str(exc) or type(exc).__name__)
        self._failures += 1
        pause = min(_SHORTEST * 2**self._failures, _LONGEST) * random.uniform(0.5, 1)  # noqa: S311 - as above
        fields = {"error": str(exc), "seconds": round(pause, 1)}
        details = None if isinstance(exc, StoreError | LogPositionError) else exc
        _logger.warning("rules cannot go on, trying again", extra={"fields": fields}, exc_info=details)
        await asyncio.sleep(pause)

    async def _work(self) -> None:
        """Follow the log as long as there are rules, and no other server does so."""
        if not await self._has_lease():
            await asyncio.sleep(LEASE / 3)
            return
        reader = LogReader(self._store)
        try:
            await self._find_place(reader)
            saved = monotonic()
            while self._has_rules.is_set() and await self._has_lease():
                for event in await reader.read(_SAVE):
                    await self._take(event)
                await self._tell_fatal_errors()
                if len(self._draft) or (self._draft.upto > self._place.position and monotonic() - saved >= _SAVE):
                    await self._step()
                    saved = monotonic()
        finally:
            await reader.close()

    async def _has_lease(self) -> bool:
        """Tell whether the work is this server's, and see to it that it stays so."""
        if self._is_shared and monotonic() - self._leased >= LEASE / 3:
            if await self._store.lease(NAME, LEASE) is None:
                return False
            self._leased = monotonic()
        return True

    async def _find_place(self, reader: LogReader) -> None:
        self._place = await self._store.consumer(NAME)
        self._log_id = (await self._store.log_bounds()).log_id
        self._draft = StepDraft(self._store, self._place.position)
        reader.position = self._place.position

    async def _take(self, event: LogEvent) -> None:
        """Put into the draft what an event of the log brings about."""
        graph = self._rules.graph
        if graph is not None and type_of(event) in graph.by_type:
            if self._draft.changes(event.job_id) or self._is_full:
                await self._step()
            await self._rest()
            rule_event = event_of_log(event, self._log_id, await self._tags_of(event))
            facts = self._draft.facts
            before = facts.seconds
            await self._evaluate(graph, rule_event, f"{self._log_id}/{event.seq}", caused_by(event))
            if (seconds := facts.seconds - before) > _LONG:
                self._rests_until = monotonic() + _REST * seconds
            await asyncio.sleep(0)  # others first
        self._draft.upto = event.seq

    async def _rest(self) -> None:
        """Leave time for others after an evaluation that took long; what it has brought about is done before."""
        if (seconds := self._rests_until - monotonic()) > 0:
            if len(self._draft):
                await self._step()
            await asyncio.sleep(seconds)

    @property
    def _is_full(self) -> bool:
        return self._draft.is_full or bool(len(self._draft) and self._draft.upto < self._alone_until)

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

    async def _evaluate(self, graph: Graph, event: Event, key: str, cause: Cause) -> None:
        """Put into the draft what an event brings about. Raises StoreError."""
        facts = self._draft.facts
        try:
            evaluation = await facts.evaluate(graph, event, datetime.now(UTC))
            self._figures.note_evaluation(event, evaluation)
            if evaluation.matched:
                lineage = await self._lineage(cause)
                effects = effects_of(evaluation, key=key, cause=cause, now=present(), facts=facts, lineage=lineage)
                self._draft.add(event, effects)
        except StoreError:
            raise
        except Exception as exc:  # the next events are none the worse
            self._fatals.note(f"event {event.id} cannot be evaluated: {exc}")
            _logger.exception("an event cannot be evaluated", extra={"fields": {"event": event.id}})

    async def _lineage(self, cause: Cause) -> Lineage:
        """Return how often actions were taken in the chain that effects with this cause become a part of."""
        limit = self._most_repetitions()
        if not limit or cause.root is None:
            return UNCOUNTED
        if cause.depth > 1:
            return await self._draft.facts.lineage(str(cause.root), limit)
        return self._draft.facts.begin_chain(str(cause.root), limit)

    async def _tell_fatal_errors(self) -> None:
        """Put into the draft what the event of fatal errors brings about, if there were any."""
        event, graph = self._fatals.due(), self._rules.graph
        if event is None or graph is None:
            return
        if event.type in graph.by_type:
            await self._evaluate(graph, event, f"{self._log_id}/{event.id}", Cause())
            if len(self._draft):
                await self._step()
        self._fatals.told(event)

    async def _step(self) -> None:
        """Do what is in the draft, and go on with a new one. Raises StepTaken and StoreError."""
        draft, place = self._draft, self._place
        await self._be_admitted(draft)
        try:
            answers = await self._store.step(
                NAME, place.position, place.steps, draft.upto, draft.operations, draft.records
            )
        except (StepTaken, StoreError, LogPositionError):
            raise
        except Exception as exc:  # noqa: BLE001 - what no store can write
            await self._leave_out(draft, exc)
            return
        self._place = replace(place, position=draft.upto, steps=place.steps + 1)
        self._draft = StepDraft(self._store, draft.upto)
        self._failures = 0
        for event, results in draft.results(answers):
            self._figures.note_results(event, results)
        self._count_created(draft, answers)

    async def _be_admitted(self, draft: StepDraft) -> None:
        """Wait until what is in the draft may begin."""
        for kind, whose in wanted(self._limits, draft.starts, len(draft.records.tasks)):
            await self._admit(partial(self._limits.take, kind, **whose))

    async def _admit(self, take: Callable[[], Awaitable[float]]) -> None:
        while wait := await take():
            await asyncio.sleep(min(wait, LEASE / 3))
            if not await self._has_lease():
                raise _Again("another server has the rules")

    async def _leave_out(self, draft: StepDraft, exc: Exception) -> None:
        """Have events done one by one if they cannot be done together; leave out one that cannot be done alone."""
        if not len(draft):
            raise exc
        if len(draft) > 1:
            self._alone_until = draft.upto
            raise _Again(str(exc)) from exc
        _logger.error("the effects of an event cannot be stored", exc_info=exc)
        for event, results in draft.failed(str(exc)):
            self._figures.note_results(event, results)
        self._draft = StepDraft(self._store, draft.upto)
        await self._step()

    def _count_created(self, draft: StepDraft, answers: Sequence[Any]) -> None:
        for operation, answer in zip(draft.operations, answers, strict=True):
            if isinstance(operation, CreateJob) and isinstance(answer, Job):
                self._created.note(answer.workflow.name)
