"""Contract of every store as far as it concerns rules: events from outside, tasks, scores, sequences, repetitions.

What holds of every operation, :mod:`wfx.store.protocol` says. Raises ValueError for records that have a
:attr:`~wfx.store.rule_records.RuleRecords.fault`, before anything has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from wfx.domain.timestamp import Timestamp
from wfx.store.rule_records import Score, Task, TaskQuery
from wfx.store.step_protocol import FinishingStore, TakingStore


class FactStore(Protocol):
    """What a store knows of what conditions may ask for."""

    async def score_totals(self, actor_ids: Sequence[str]) -> Mapping[str, float]:
        """Return the sum of the points of each of these actors; 0 for those that have none."""

    async def sequences(self, names: Sequence[str]) -> Mapping[str, int]:
        """Return the value of each of these sequences; 0 for those that were not used yet."""

    async def repetitions(self, root: str) -> Mapping[str, int]:
        """Return how often which elements came in the chain of events with this root."""


class EventStore(FactStore, TakingStore, Protocol):
    """What a store does for events from outside."""

    async def read_event_answer(self, event_id: str) -> str | None:
        """Return the answer to the event with this id; None if none is kept."""


class RuleStore(EventStore, FinishingStore, Protocol):
    """What a store does for rules."""

    async def claim_tasks(self, kinds: Sequence[str], at_most: int, ttl: float) -> Sequence[Task]:
        """Take tasks of these kinds that are due, those that have been for longest first, for so many seconds.

        They are running then, and nobody else is given them in this time: two servers never get the same attempt. A
        task may be claimed again later unless :meth:`finish_task` was called; a store of a single server that is opened
        again knows that nobody has one any more.
        """

    def watch_tasks(self, observer: Callable[[], None]) -> None:
        """Call ``observer`` whenever tasks were written by this store instance."""

    async def next_task_due(self, kinds: Sequence[str]) -> Timestamp | None:
        """Return when the next task of these kinds may be claimed; None if there is none.

        It may lie in the past, and still nothing be claimed, where clocks differ.
        """

    async def count_open_tasks(self) -> Mapping[str, int]:
        """Return how many tasks wait or are running, by kind; those without any are left out."""

    async def list_tasks(self, query: TaskQuery, room: int = 2**62) -> Sequence[Task]:
        """Return the next tasks of a query.

        Those that have no room are left out, but not the first.
        """

    async def replay_task(self, task_id: int) -> Task:
        """Have a failed task done once more, as soon as somebody claims it. Raises TaskNotFound and TaskNotFailed."""

    async def hasten_tasks(self, kinds: Sequence[str], ids: Sequence[int] | None = None) -> int:
        """Have tasks of these kinds that wait be due now, in the order of their ids; return how many were not.

        If ids are given, that is done to these tasks only.
        """

    async def drop_tasks(self, older_than: Timestamp, at_most: int) -> int:
        """Drop up to ``at_most`` of the oldest finished tasks: from before this moment, or beyond what a store keeps.

        Returns how many were dropped. One call is one short transaction.
        """

    async def list_scores(self, after: int, limit: int, actor_id: str | None = None) -> Sequence[Score]:
        """Return points behind this number, in the order in which they were given; of one actor, or of all."""
