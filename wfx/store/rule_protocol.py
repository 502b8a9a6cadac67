"""Contract of every store as far as it concerns rules: events from outside, tasks, scores, sequences, repetitions.

What holds of every operation, :mod:`wfx.store.protocol` says. Raises ValueError for records that have a
:attr:`~wfx.store.rule_records.RuleRecords.fault`, before anything has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from wfx.domain.timestamp import Timestamp
from wfx.store.rule_records import NOTHING, RuleRecords, Score, Task, TaskOutcome, TaskQuery

if TYPE_CHECKING:  # it needs the decisions of the protocol
    from wfx.store.operations import JobOperation, TellEvent, TellTask


class FactStore(Protocol):
    """What a store knows of what conditions may ask for."""

    async def score_totals(self, actor_ids: Sequence[str]) -> Mapping[str, float]:
        """Return the sum of the points of each of these actors; 0 for those that have none."""

    async def sequences(self, names: Sequence[str]) -> Mapping[str, int]:
        """Return the value of each of these sequences; 0 for those that were not used yet."""

    async def repetitions(self, root: str) -> Mapping[str, int]:
        """Return how often which elements came in the chain of events with this root."""


class EventStore(FactStore, Protocol):
    """What a store does for events from outside."""

    async def take_event(
        self,
        event_id: str,
        operations: Sequence[JobOperation],
        records: RuleRecords,
        tell: TellEvent,
        *,
        is_kept: bool = True,
    ) -> str:
        """Do what follows from an event from outside, and return the answer that ``tell`` makes of the results.

        The first one who comes with an id does the operations, as those of a step, and writes the records and the
        answer, all in one transaction. To whoever comes with the same id nothing happens, and that answer is returned.
        It is kept for :data:`~wfx.store.rule_records.KEPT`, unless there are too many, or it need not be kept, since
        nobody can come with that id again. Raises SequenceTaken.
        """

    async def read_event_answer(self, event_id: str) -> str | None:
        """Return the answer to the event with this id; None if none is kept."""


class RuleStore(EventStore, Protocol):
    """What a store does for rules."""

    async def claim_tasks(self, kinds: Sequence[str], at_most: int, ttl: float) -> Sequence[Task]:
        """Take tasks of these kinds that are due, those that have been for longest first, for so many seconds.

        They are running then, and nobody else is given them in this time: two servers never get the same attempt. A
        task may be claimed again later unless :meth:`finish_task` was called; a store of a single server that is opened
        again knows that nobody has one any more.
        """

    async def finish_task(
        self,
        task: Task,
        outcome: TaskOutcome | TellTask,
        operations: Sequence[JobOperation] = (),
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        """Do operations, as those of a step, and note what became of a task, in one transaction.

        Returns the results of the operations. A function may make the outcome of these. Raises what that raises,
        TaskTaken unless the task is running and was claimed as often as it says, and SequenceTaken; then nothing has
        happened.
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

    async def hasten_tasks(self, kinds: Sequence[str]) -> int:
        """Have all tasks of these kinds that wait be due now, in the order of their ids; return how many were not."""

    async def drop_tasks(self, older_than: Timestamp, at_most: int) -> int:
        """Drop up to ``at_most`` of the oldest finished tasks: from before this moment, or beyond what a store keeps.

        Returns how many were dropped. One call is one short transaction.
        """

    async def list_scores(self, after: int, limit: int, actor_id: str | None = None) -> Sequence[Score]:
        """Return points behind this number, in the order in which they were given; of one actor, or of all."""
