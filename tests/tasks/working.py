"""A store in memory with tasks, and what runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.waiting import DEADLINE
from wfx.domain.cause import Cause
from wfx.domain.json import encode
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, RuleRecords, Task, TaskQuery, TaskState
from wfx.store.upkeep import present
from wfx.tasks.attempt import Attempts
from wfx.tasks.counts import TaskCounts
from wfx.tasks.performing import Perform
from wfx.tasks.progress import Progress
from wfx.tasks.retry_plan import RetryPlan
from wfx.tasks.runner import Admit, TaskRunner

AT_ONCE = RetryPlan((0.0,) * 9)
"""Tries again without a pause."""


async def admitted(_: Task) -> float:
    """Let each task run."""
    return 0.0


@asynccontextmanager
async def running(
    store: Store,
    performs: Mapping[str, Perform],
    *,
    plan: RetryPlan = AT_ONCE,
    at_most: int = 16,
    wait: Admit = admitted,
    counts: TaskCounts | None = None,
) -> AsyncIterator[TaskRunner]:
    """Run tasks of a store."""
    async with TaskRunner(store, performs, Attempts(store, plan, counts), at_most=lambda: at_most, wait=wait) as runner:
        yield runner


async def add(store: Store, *tasks: tuple[str, str, Any], request_id: str = "r-1") -> None:
    """Write tasks with a key, a kind and an input, as rules do: in one step of a consumer."""
    cause = Cause(request_id, "north", "rule:r").encoded
    made = [NewTask(key, kind, encode(given), present(), cause) for key, kind, given in tasks]
    consumer = await store.consumer("rules")
    await store.step("rules", consumer.position, consumer.steps, consumer.position, (), RuleRecords(tasks=made))


async def ended(store: Store, task_id: int = 1) -> Task:
    """Wait until a task is done or has failed, and return it."""
    return await in_state(store, task_id, TaskState.DONE, TaskState.FAILED)


async def task_of(store: Store, task_id: int) -> Task:
    """Return a task that is there."""
    (found,) = await store.list_tasks(TaskQuery(after=task_id - 1, limit=1))
    assert found.id == task_id
    return found


async def in_state(store: Store, task_id: int, *states: TaskState) -> Task:
    """Wait until a task is in one of these states, and return it."""
    found: list[Task] = []

    async def look() -> bool:
        found[:] = await store.list_tasks(TaskQuery(after=task_id - 1, limit=1))
        return any(task.id == task_id and task.state in states for task in found)

    await until_true(look, f"task {task_id} is {' or '.join(states)}")
    return found[0]


async def until_true(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until a condition holds that takes waiting to find out."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not await condition():  # noqa: ASYNC110 - what is waited for is in a store
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(what) from None


def message(task: Task) -> str:
    """Return what the last attempt said."""
    return Progress.of(task.result).message


def attempts_of(task: Task) -> int:
    """Return how often a task was tried."""
    return Progress.of(task.result).attempts
