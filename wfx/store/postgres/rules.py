"""What rules leave, as rows: answers to events, scores, sequences, repetitions; tasks are in ``tasks.py``."""

from __future__ import annotations

from typing import Any

from wfx.store.postgres import tasks
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.sealed_rows import ANSWER, opened, sealing_of
from wfx.store.postgres.statements import SQL
from wfx.store.rule_records import (
    KEPT,
    AnswersTo,
    NextTaskDue,
    OpenTasks,
    RepetitionsOf,
    RuleQuestion,
    Score,
    ScoreSearch,
    ScoreTotals,
    SequencesNamed,
    TaskSearch,
    expired_answers,
)


async def drop_expired(plain: Plain, now: int, at_most: int) -> int:
    """Drop answers and repetitions that need not be kept any more, up to so many rows; return how many that were."""
    if at_most <= 0:
        return 0
    count, size = await plain.fetchrow(SQL["measure_event_answers"]) or (0, 0)
    oldest = await plain.fetch(SQL["oldest_event_answers"], at_most) if count else []
    expired = expired_answers([(row[0], row[1], row[2]) for row in oldest], (count, size), now - KEPT)
    if expired:
        await plain.execute(SQL["delete_event_answers"], expired)
    dropped: int = await plain.fetchval(SQL["drop_repetitions"], now - KEPT, at_most - len(expired))
    return len(expired) + dropped


async def answer(plain: Plain, question: RuleQuestion) -> Any:
    """Return what is asked for."""
    match question:
        case NextTaskDue() | OpenTasks() | TaskSearch():
            return await tasks.answer(plain, question)
        case AnswersTo(keys):
            rows = opened(sealing_of(plain), ANSWER, await plain.fetch(SQL["event_answers"], keys))
        case ScoreTotals(actor_ids):
            rows = await plain.fetch(SQL["score_totals"], actor_ids)
        case ScoreSearch(after, limit, actor_id):
            return [Score(*row) for row in await plain.fetch(SQL["scores"], after, limit, actor_id)]
        case SequencesNamed(names):
            rows = await plain.fetch(SQL["sequences"], names)
        case RepetitionsOf(root):
            rows = await plain.fetch(SQL["repetitions"], root)
    return {row[0]: row[1] for row in rows}
