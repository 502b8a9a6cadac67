"""Contract of every store as far as it concerns what follows from events and tasks, each in one transaction.

What is done there is counted where an option says so (:mod:`wfx.service.counted_steps`), so these methods stand apart:
whoever puts something in their place is held to their signatures. :mod:`wfx.store.protocol` says what holds of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from wfx.store.rule_records import NOTHING, RuleRecords, Task, TaskOutcome

if TYPE_CHECKING:  # it needs the decisions of the protocol
    from wfx.store.operations import JobOperation, TellEvent, TellTask


class StepStore(Protocol):
    """What a store does for who follows the log."""

    async def step(
        self,
        consumer: str,
        after: int,
        number: int,
        upto: int,
        operations: Sequence[JobOperation],
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        """Do operations on jobs and move the consumer's place from ``after`` to ``upto``, in one transaction.

        Records of rules are written in it, too.

        Nothing happens unless the consumer is at ``after`` and has taken ``number`` steps; then it has taken one more.
        So of all who try the same step one takes it, and what is uncertain after a failure may be tried again. A step
        may leave the place as it is, or do no operation.

        Operations are done in order, each as by the method of its name, and none of another caller between them; one
        step takes the store as long as they take together. Returns for each what it returns, or the exception that it
        raises, which fails no other: JobExists if there is a job with the id that a new one was to have, JobChanged if
        the job to delete has another version.

        Raises StepTaken (SequenceTaken if only a sequence is not as it was), NotOnThisLog if ``upto`` is ahead of the
        head, ValueError if it lies before ``after``, the consumer's name is no text, or records have a fault, and
        whatever the store raises that cannot write what an operation says; then nothing has happened.
        """


class TakingStore(Protocol):
    """What a store does with an event from outside."""

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


class FinishingStore(Protocol):
    """What a store does at the end of a task."""

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
