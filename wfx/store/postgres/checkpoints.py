"""What is compared and written with a batch: the statement and its values, and why it was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.errors import IdempotencyKeyInUse, NotOnThisLog, SequenceTaken, StepTaken, TaskTaken, WfxError
from wfx.protection.sealing import Sealing
from wfx.store.backend import EventTaken
from wfx.store.bulk import SliceRecord
from wfx.store.operations import Checkpoint, EventAnswers, FinishTask, RuleCheckpoint, TakeStep
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.sealed_rows import BULK_RESULTS, sealed_text
from wfx.store.postgres.statements import SQL, FencedStatements
from wfx.store.rule_records import RuleRecords

RACES = ("sequence_pkey", "event_answer_key_key")
"""PostgreSQL's names for constraints that another server's row may break which has come to be meanwhile."""
_Values = tuple[Any, ...]


def statement(checkpoint: Checkpoint, fenced: FencedStatements, sealing: Sealing | None = None) -> tuple[str, _Values]:
    """Return the statement for a batch with this checkpoint, and its values beside those of the batch."""
    match checkpoint:
        case TakeStep(consumer, after, number, upto, _, records, now):
            own = (consumer, after, number, upto)
            if not any(records):
                return fenced.apply_step, own
            return fenced.apply_step_with_records, (*own, *_values(records, now, sealing))
        case EventAnswers(answers, records, now):
            keys, texts = _columns(answers, 2)
            texts = [sealed_text(sealing, "event_answer.answer", key, text) for key, text in answers]
            return fenced.apply_events, (keys, now, texts, *_values(records, now, sealing))
        case FinishTask(task_id, attempts, (state, result, _), _, records, now):
            told = sealed_text(sealing, "task.result", checkpoint.key, result.decode())
            own_of_task = (task_id, attempts, state.value, told, checkpoint.due, now)
            return fenced.apply_task, (*own_of_task, *_values(records, now, sealing))
        case SliceRecord(None):
            return fenced.apply_whole, ()
        case SliceRecord(key, holder, ttl, done, result):
            told = sealed_text(sealing, BULK_RESULTS, key or "", result.text)
            return fenced.apply_slice, (key, holder, done, result.items, result.failed, told, ttl)


def _values(records: RuleRecords, now: int, sealing: Sealing | None) -> _Values:
    tasks, scores, sequences, repetitions = records
    rows = [
        (key, kind, sealed_text(sealing, "task.input", key, document.decode()), due, cause)
        for key, kind, document, due, cause in tasks
    ]
    return (
        *_columns([(name, before, after) for name, (before, after) in sequences.items()], 3),
        *_columns(rows, 5),
        *_columns(scores, 4),
        *_columns([(root, element, times) for (root, element), times in repetitions.items()], 3),
        now,
    )


def _columns(rows: Sequence[_Values], width: int) -> Sequence[Sequence[Any]]:
    return [*zip(*rows, strict=True)] if rows else [()] * width


async def refusal(plain: Plain, checkpoint: Checkpoint) -> WfxError:
    """Say why nothing was written."""
    if isinstance(checkpoint, SliceRecord):
        return IdempotencyKeyInUse()
    return await _own_refusal(plain, checkpoint) or SequenceTaken(", ".join(checkpoint.records.sequences))


async def _own_refusal(plain: Plain, checkpoint: RuleCheckpoint) -> WfxError | None:
    """Say why the checkpoint does not fit; None if it does, so that it must have been a sequence."""
    match checkpoint:
        case TakeStep(consumer, after, number, upto):
            log_id, _, head = await plain.fetchrow(SQL["bounds"]) or ("", 0, 0)
            if upto > head:
                return NotOnThisLog(head, log_id)
            row = await plain.fetchrow(SQL["consumer"], consumer)
            fits = row is not None and (row[1], row[2]) == (after, number)
            return None if fits and checkpoint.records.sequences else StepTaken(consumer, after, number)
        case EventAnswers(answers):
            is_known = await plain.fetchrow(SQL["event_answers"], [key for key, _ in answers]) is not None
            return EventTaken() if is_known or not checkpoint.records.sequences else None
        case FinishTask(task_id, attempts):
            row = await plain.fetchrow(SQL["task_by_id"], task_id)
            fits = row is not None and (row[3], row[5]) == ("RUNNING", attempts)
            return None if fits and checkpoint.records.sequences else TaskTaken(task_id, attempts)
