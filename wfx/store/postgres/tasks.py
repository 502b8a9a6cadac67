"""Tasks as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.errors import SealedValueUnreadable, TaskNotFailed, TaskNotFound
from wfx.protection.sealing import Sealing
from wfx.store import rule_records
from wfx.store.operations import ClaimTasks, DropTasks, HastenTasks, ReplayTask, TaskOperation
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rows import Row
from wfx.store.postgres.sealed_rows import TASK, opened_row, sealing_of
from wfx.store.postgres.statements import SQL
from wfx.store.rule_records import NextTaskDue, OpenTasks, Task, TaskSearch


async def perform(plain: Plain, operation: TaskOperation, now: int) -> Any:
    """Do an operation on tasks. A claim whose answer is lost ends by itself."""
    match operation:
        case ClaimTasks(kinds, at_most, ttl):
            wanted = list(dict.fromkeys(kinds))
            rows = await plain.fetch(SQL["claim_tasks"], wanted, now, max(at_most, 0), ttl)
            return _tasks(plain, rows)
        case ReplayTask(task_id):
            return await _replay(plain, task_id, now)
        case HastenTasks(kinds, ids):
            few = None if ids is None else list(ids)
            return await plain.fetchval(SQL["hasten_tasks"], list(dict.fromkeys(kinds)), now, few)
        case DropTasks(older_than, at_most):
            values = (older_than, rule_records.MOST_TASKS, max(at_most, 0))
            return await plain.fetchval(SQL["drop_tasks"], *values)


async def _replay(plain: Plain, task_id: int, now: int) -> Task:
    row = await plain.fetchrow(SQL["replay_task"], task_id, now)
    if row is not None:
        return _tasks(plain, [row])[0]
    if (task := await _by_id(plain, task_id)) is None:
        raise TaskNotFound(task_id)
    raise TaskNotFailed(task_id, task.state)


async def answer(plain: Plain, question: NextTaskDue | OpenTasks | TaskSearch) -> Any:
    """Return what is asked for."""
    match question:
        case NextTaskDue(kinds):
            return await plain.fetchval(SQL["next_task_due"], kinds)
        case OpenTasks():
            return dict(await plain.fetch(SQL["open_tasks"]))
        case TaskSearch():
            return await _page(plain, question)


async def _by_id(plain: Plain, task_id: int) -> Task | None:
    row = await plain.fetchrow(SQL["task_by_id"], task_id)
    return None if row is None else _tasks(plain, [row])[0]


async def _page(plain: Plain, page: TaskSearch) -> Sequence[Task]:
    kind, state, after, limit, descending = page.query
    conditions, values = "", list[Any]([after, limit, page.room])
    for column, value in (("kind", kind), ("state", state)):
        if value is not None:
            values.append(str(value))
            conditions += f"{column} = ${len(values)} AND "
    comparison, order = ("<", "DESC") if descending else (">", "ASC")
    sql = SQL["tasks_page"].replace(":conditions", conditions).replace(":comparison", comparison)
    return _tasks(plain, await plain.fetch(sql.replace(":order", order), *values))


def _tasks(plain: Plain, rows: Sequence[Row]) -> list[Task]:
    return [_task(sealing_of(plain), row) for row in rows]


def _task(sealing: Sealing | None, row: Row) -> Task:
    """Make a task of a row; one whose documents cannot be read stops no other."""
    try:
        return Task.of(opened_row(sealing, TASK, row))
    except SealedValueUnreadable as exc:
        return Task.damaged(row, str(exc))
