"""Use cases of tasks: what there is to do and was done, and another attempt at what has failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from wfx.store.rule_protocol import RuleStore
from wfx.store.rule_records import Task, TaskQuery
from wfx.tasks.counts import TaskCounts

_ROOM = 8 * 1024 * 1024
"""Bytes of documents that are read for a page."""


class TaskPage(NamedTuple):
    """Some tasks."""

    tasks: Sequence[Task]
    next: int | None
    """After which one the next page begins; None if there is nothing behind this one."""


class Runner(Protocol):
    """What runs tasks."""

    @property
    def counts(self) -> TaskCounts:
        """What it has done."""

    def wake(self) -> None:
        """Look for tasks now."""


class Tasks:
    """Use cases on tasks; all raise what :class:`wfx.store.rule_protocol.RuleStore` raises."""

    def __init__(self, store: RuleStore, runner: Runner) -> None:
        """Work on this store, with what runs tasks in this process."""
        self._store = store
        self._runner = runner

    @property
    def counts(self) -> TaskCounts:
        """What this process has done."""
        return self._runner.counts

    async def list(self, query: TaskQuery) -> TaskPage:
        """Return a page of tasks."""
        found = await self._store.list_tasks(query, _ROOM)
        if not found:
            return TaskPage((), None)
        behind = await self._store.list_tasks(query._replace(after=found[-1].id, limit=1), 0)
        return TaskPage(found, found[-1].id if behind else None)

    async def replay(self, task_id: int) -> Task:
        """Have a failed task done once more, now. Raises TaskNotFound and TaskNotFailed."""
        task = await self._store.replay_task(task_id)
        self._runner.wake()
        return task
