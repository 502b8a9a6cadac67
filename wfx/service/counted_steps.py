"""Store for those who carry out rules: what that brings about keeps to the repetitions of states that are allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from wfx.service.guard import Guard
from wfx.store.operations import JobOperation, TellEvent, TellTask
from wfx.store.protocol import Store
from wfx.store.rule_records import NOTHING, RuleRecords, Task, TaskOutcome
from wfx.store.step_protocol import FinishingStore, StepStore, TakingStore


class _CountedSteps(StepStore, TakingStore, FinishingStore):
    """Has operations of steps, events and tasks counted; in all else it is the store.

    The protocols that it names hold its methods to the signatures of the store.
    """

    def __init__(self, store: Store, guard: Guard) -> None:
        self._store = store
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def step(
        self,
        consumer: str,
        after: int,
        number: int,
        upto: int,
        operations: Sequence[JobOperation],
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        """Take a step; see the store."""
        counted = await self._guard.within_repetitions(operations)
        return await self._store.step(consumer, after, number, upto, counted, records)

    async def take_event(
        self,
        event_id: str,
        operations: Sequence[JobOperation],
        records: RuleRecords,
        tell: TellEvent,
        *,
        is_kept: bool = True,
    ) -> str:
        """Do what follows from an event; see the store."""
        counted = await self._guard.within_repetitions(operations)
        return await self._store.take_event(event_id, counted, records, tell, is_kept=is_kept)

    async def finish_task(
        self,
        task: Task,
        outcome: TaskOutcome | TellTask,
        operations: Sequence[JobOperation] = (),
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        """Do what follows from a task; see the store."""
        counted = await self._guard.within_repetitions(operations) if operations else operations
        return await self._store.finish_task(task, outcome, counted, records)


def counted_steps(store: Store, guard: Guard) -> Store:
    """Return the store with steps, events and tasks that are counted where an option limits repetitions."""
    return cast("Store", _CountedSteps(store, guard))
