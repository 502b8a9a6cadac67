"""Tasks as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from wfx.domain.errors import SealedValueUnreadable, TaskNotFailed, TaskNotFound, TaskTaken
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.store import rule_records
from wfx.store.operations import ClaimTasks, DropTasks, FinishTask, HastenTasks, ReplayTask, TaskOperation
from wfx.store.rule_records import NewTask, NextTaskDue, OpenTasks, Task, TaskSearch, TaskState
from wfx.store.sizes import fitting
from wfx.store.sqlite.rows import Row
from wfx.store.sqlite.sealed_rows import TASK, opened_row, sealed, sealed_text, sealing_of
from wfx.store.sqlite.statements import SQL, for_items, for_rows


def add(connection: sqlite3.Connection, new: Sequence[NewTask], now: Timestamp) -> None:
    """Add tasks, without those whose keys are there."""
    rows = [
        (key, kind, TaskState.WAITING, due, 0, now, now, text.decode(), cause) for key, kind, text, due, cause in new
    ]
    for_rows(connection, "insert_tasks", sealed(sealing_of(connection), "insert_tasks", rows))


def finish(connection: sqlite3.Connection, finished: FinishTask) -> None:
    """Note what became of a task. Raises TaskTaken."""
    state, result, _ = finished.outcome
    told: Any = result.decode()
    if (sealing := sealing_of(connection)) is not None:
        row = connection.execute(SQL["key_of_task"], (finished.id,)).fetchone()
        told = None if row is None else sealed_text(sealing, "task.result", row[0], told)
    values = (state, told, finished.due, finished.now, finished.id, finished.attempts)
    if not connection.execute(SQL["finish_task"], values).rowcount:
        raise TaskTaken(finished.id, finished.attempts)


def perform(connection: sqlite3.Connection, operation: TaskOperation, now: int) -> Any:
    """Do an operation on tasks."""
    match operation:
        case ClaimTasks():
            return _claim(connection, operation, now)
        case ReplayTask(task_id):
            return _replay(connection, task_id, now)
        case HastenTasks(kinds, ids):
            few = None if ids is None else encode(list(ids)).decode()
            rows = [(now, kind, now, few, few) for kind in dict.fromkeys(kinds)]
            return sum(connection.execute(SQL["hasten_tasks"], row).rowcount for row in rows)
        case DropTasks(older_than, at_most):
            (count,) = connection.execute(SQL["count_finished_tasks"]).fetchone()
            values = (older_than, max(count - rule_records.MOST_TASKS, 0), max(at_most, 0))
            return connection.execute(SQL["drop_tasks"], values).rowcount


def _claim(connection: sqlite3.Connection, claim: ClaimTasks, now: int) -> Sequence[Task]:
    at_most = max(claim.at_most, 0)
    due: list[tuple[int, int]] = []
    for kind in dict.fromkeys(claim.kinds):
        due += connection.execute(SQL["due_tasks"], (kind, now, at_most)).fetchall()
    ids = [task_id for _, task_id in sorted(due)[:at_most]]
    for_rows(connection, "claim_tasks", [(task_id, now + claim.ttl, now) for task_id in ids])
    found = {task.id: task for task in _opened(connection, for_items(connection, "tasks_by_id", ids))}
    return [found[task_id] for task_id in ids]


def _replay(connection: sqlite3.Connection, task_id: int, now: int) -> Task:
    changed = connection.execute(SQL["replay_task"], (now, now, task_id)).rowcount
    task = _by_id(connection, task_id)
    if task is None:
        raise TaskNotFound(task_id)
    if not changed:
        raise TaskNotFailed(task_id, task.state)
    return task


def answer(connection: sqlite3.Connection, question: NextTaskDue | OpenTasks | TaskSearch) -> Any:
    """Return what is asked for."""
    match question:
        case NextTaskDue(kinds):
            due = [connection.execute(SQL["next_task_due"], (kind,)).fetchone()[0] for kind in kinds]
            return min((each for each in due if each is not None), default=None)
        case OpenTasks():
            return dict(connection.execute(SQL["open_tasks"]))
        case TaskSearch():
            return _page(connection, question)


def _by_id(connection: sqlite3.Connection, task_id: int) -> Task | None:
    return next(_opened(connection, for_items(connection, "tasks_by_id", [task_id])), None)


def _page(connection: sqlite3.Connection, page: TaskSearch) -> Sequence[Task]:
    kind, state, after, limit, descending = page.query
    wanted = {"kind = ? AND": kind, "state = ? AND": state}
    conditions = {sql: value for sql, value in wanted.items() if value is not None}
    sql = (
        SQL["tasks_page"]
        .replace(":conditions", " ".join(conditions))
        .replace(":comparison", "<" if descending else ">")
    )
    sql = sql.replace(":order", "DESC" if descending else "ASC")
    with closing(connection.execute(sql, (*conditions.values(), after, limit))) as rows:
        return fitting(_opened(connection, rows), lambda task: task.size, page.room, at_least=1)[0]


def _opened(connection: sqlite3.Connection, rows: Iterable[Row]) -> Iterator[Task]:
    """Make tasks of rows; one whose documents cannot be read stops no other."""
    sealing = sealing_of(connection)
    for row in rows:
        try:
            yield Task.of(row if sealing is None else opened_row(sealing, TASK, row))
        except SealedValueUnreadable as exc:
            yield Task.damaged(row, str(exc))
