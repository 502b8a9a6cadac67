"""Events from outside: queued, evaluated, and answered; what they do is done once for each id."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from wfx.domain.cause import Cause
from wfx.domain.errors import EventQueueFull, EventTimedOut, TooManyStarted, WfxError
from wfx.domain.json import Json, decode
from wfx.reactions.admission import Admission
from wfx.reactions.event_queue import EventQueue
from wfx.reactions.event_taker import CurrentRules, EventTaker
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.pending_event import EventBatch, PendingEvent, Withdrawn
from wfx.rules.event import Event
from wfx.rules.graph import Engine
from wfx.store.rule_protocol import EventStore
from wfx.tasks.trying_again import patiently

log = logging.getLogger(__name__)

_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds before an event of a batch is tried again after the store has failed."""
_PATIENCE = 10.0
"""Seconds for what is queued when the service stops."""


class Incoming:
    """Takes events from outside. Use as a context manager, on one event loop."""

    def __init__(
        self, store: EventStore, rules: CurrentRules, figures: RuleFigures, fatals: Fatals, admission: Admission
    ) -> None:
        """Evaluate events by these rules, within the limits, and count what comes of it."""
        self._rules = rules
        self._fatals = fatals
        self._taker = EventTaker(store, rules, figures, admission)
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

    async def tell(self, event: Json, cause: Cause, begin: Callable[[], None] = lambda: None) -> str:
        """Return what the rules did about an event, as JSON; ``begin`` is called before that is written.

        Raises NoRules, EventQueueFull, EventTimedOut (then nothing was or will be done), TooManyStarted, and what the
        store raises.
        """
        self._taker.require_rules()
        loop = asyncio.get_running_loop()
        pending = PendingEvent(event, cause, loop.create_future(), begin=begin)
        assert pending.answer is not None
        self._put(pending)
        milliseconds = self._engine.event_timeout_ms
        timer = loop.call_later(milliseconds / 1000, self._expire, pending, milliseconds)
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
        self._taker.require_rules()
        batch = EventBatch(str(uuid.uuid4()), len(events))
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

    def _expire(self, pending: PendingEvent, milliseconds: int) -> None:
        """Answer that it took too long, unless it is being written: then that is waited for."""
        if pending.withdraw():
            self.queue.withdraw(pending)
            self.outcomes["timed_out"] += 1
            pending.settle(EventTimedOut(milliseconds))

    async def _work_on(self, pending: PendingEvent) -> None:
        """Evaluate an event and give its answer."""
        try:
            event, is_named = _event_of(pending.document)
            take = self._taker.take if pending.batch is None else self._take_patiently
            told = await take(pending, event, is_named=is_named)
        except Withdrawn:
            return
        except Exception as exc:
            self.outcomes["refused" if isinstance(exc, TooManyStarted) else "failed"] += 1
            pending.settle(exc)
            if not isinstance(exc, WfxError):
                self._fatals.note(f"an event from outside was not evaluated: {exc}")
                log.exception("an event from outside was not evaluated")
        else:
            self.outcomes["evaluated"] += 1
            pending.settle(told)

    async def _take_patiently(self, pending: PendingEvent, event: Event, *, is_named: bool) -> str:
        """Take an event that was accepted, also if the store cannot do its work for a while."""
        return await patiently(partial(self._taker.take, pending, event, is_named=is_named), _PAUSES)


def _event_of(document: Json) -> tuple[Event, bool]:
    """Return an event, and whether it came with an id; else it is given one."""
    members = decode(document)
    is_named = bool(members.get("id"))
    return Event(**members | {"id": members["id"] if is_named else str(uuid.uuid4())}), is_named
