"""What rules leave, as rows: answers to events, scores, sequences, repetitions; tasks are in ``tasks.py``."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from wfx.domain.errors import SequenceTaken
from wfx.domain.timestamp import Timestamp
from wfx.store.backend import EventTaken
from wfx.store.operations import EventAnswers, FinishTask, RuleCheckpoint
from wfx.store.rule_records import (
    KEPT,
    AnswersTo,
    NextTaskDue,
    OpenTasks,
    RepetitionsOf,
    RuleQuestion,
    Score,
    ScoreEntry,
    ScoreSearch,
    ScoreTotals,
    SequencesNamed,
    TaskSearch,
    expired_answers,
)
from wfx.store.sqlite import consumers, tasks
from wfx.store.sqlite.sealed_rows import ANSWER, opened, sealed, sealing_of
from wfx.store.sqlite.statements import SQL, for_items, for_rows


def write(connection: sqlite3.Connection, checkpoint: RuleCheckpoint) -> None:
    """Write a checkpoint with its records. Raises StepTaken, EventTaken, TaskTaken or SequenceTaken."""
    match checkpoint:
        case EventAnswers(answers, _, now):
            if any(for_items(connection, "event_answers", [key for key, _ in answers])):
                raise EventTaken
            rows = [(key, now, len(answer.encode()), answer) for key, answer in answers]
            name = "insert_event_answers"
            for_rows(connection, name, sealed(sealing_of(connection), name, rows))
        case FinishTask():
            tasks.finish(connection, checkpoint)
        case _:
            consumers.move(connection, checkpoint)
    if any(checkpoint.records):
        _write_records(connection, checkpoint)


def _write_records(connection: sqlite3.Connection, checkpoint: RuleCheckpoint) -> None:
    new_tasks, scores, sequences, repetitions = checkpoint.records
    now = Timestamp(checkpoint.now)
    _move_sequences(connection, sequences)
    tasks.add(connection, new_tasks, now)
    for entry in scores:
        _give(connection, entry, now)
    rows = [(root, element, times, now) for (root, element), times in repetitions.items()]
    for_rows(connection, "note_repetitions", rows)


def _move_sequences(connection: sqlite3.Connection, wanted: Mapping[str, tuple[int, int]]) -> None:
    present = dict(for_items(connection, "sequences", list(wanted)))
    for name, (before, _) in wanted.items():
        if present.get(name, 0) != before:
            raise SequenceTaken(name)
    for_rows(connection, "put_sequences", [(name, after) for name, (_, after) in wanted.items()])


def _give(connection: sqlite3.Connection, entry: ScoreEntry, now: Timestamp) -> None:
    """Give points unless they were given already."""
    if connection.execute(SQL["insert_score"], (*entry, now)).rowcount:
        connection.execute(SQL["add_to_total"], (entry.actor_id, entry.points))


def drop_expired(connection: sqlite3.Connection, now: int, at_most: int) -> int:
    """Drop answers and repetitions that need not be kept any more, up to so many rows; return how many that were."""
    if at_most <= 0:
        return 0
    kept: tuple[int, int] = connection.execute(SQL["measure_event_answers"]).fetchone()
    oldest = connection.execute(SQL["oldest_event_answers"], (at_most,)).fetchall()
    expired = expired_answers(oldest, kept, now - KEPT)
    for_rows(connection, "delete_event_answers", [(number,) for number in expired])
    dropped = connection.execute(SQL["drop_repetitions"], (now - KEPT, at_most - len(expired))).rowcount
    return len(expired) + dropped


def answer(connection: sqlite3.Connection, question: RuleQuestion) -> Any:
    """Return what is asked for."""
    match question:
        case NextTaskDue() | OpenTasks() | TaskSearch():
            return tasks.answer(connection, question)
        case AnswersTo(keys):
            return dict(opened(connection, ANSWER, for_items(connection, "event_answers", keys)))
        case ScoreTotals(actor_ids):
            return dict(for_items(connection, "score_totals", actor_ids))
        case ScoreSearch():
            return _scores(connection, question)
        case SequencesNamed(names):
            return dict(for_items(connection, "sequences", names))
        case RepetitionsOf(root):
            return dict(connection.execute(SQL["repetitions"], (root,)).fetchall())


def _scores(connection: sqlite3.Connection, page: ScoreSearch) -> Sequence[Score]:
    if page.actor_id is None:
        found = connection.execute(SQL["scores"], (page.after, page.limit))
    else:
        found = connection.execute(SQL["scores_of_actor"], (page.actor_id, page.after, page.limit))
    with closing(found):
        return [Score(*row) for row in found]
