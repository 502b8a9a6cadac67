"""The limit on tasks that run: the others wait for their turn, and none is lost."""

from __future__ import annotations

from time import monotonic

import pytest

from tests.store.backends import SetClock
from tests.tasks.working import add, ended, running
from tests.tuned import tuned
from tests.waiting import until
from wfx.domain.json import decode
from wfx.limits.policy import Kind
from wfx.service.limits import Limits
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskState
from wfx.store.upkeep import present
from wfx.tasks import runner

_TASKS = 30
_SPEED = 100
"""How fast time passes: a minute takes 0.6 s."""


async def test_a_limit_is_lifted(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that waits for a limit is run as soon as that is lifted, however long it would have had to wait."""
    clock.now = present() + 86_400_000_000  # all are due
    monkeypatch.setattr(runner, "_LONGEST_LIMIT", 86_400.0)
    tunables = tuned(sandbox_rate_limit_job_execute=("1/P30D",))
    limits = Limits(tunables)

    async def perform(_: Task) -> str:
        return "done"

    await add(store, ("a", "webhook", {}), ("b", "webhook", {}))
    async with running(store, {"webhook": perform}, wait=lambda _: limits.take(Kind.JOB_EXECUTE)) as running_tasks:
        await ended(store, 1)
        await until(limits.refused.total)
        tunables.replace(tuned().current)
        running_tasks.hurry()
        assert (await ended(store, 2)).state is TaskState.DONE


async def test_ten_a_minute(store: Store, clock: SetClock) -> None:
    """With job-execute 10/PT1M ten of 30 tasks run at once, the others in order, one each six seconds; none is lost."""
    clock.now = present() + 86_400_000_000  # all are due
    begun: list[tuple[int, float, int]] = []

    def time() -> float:
        return monotonic() * _SPEED

    limits = Limits(tuned(sandbox_rate_limit_job_execute=("10/PT1M",)), clock=time)

    async def wait(_: Task) -> float:
        return await limits.take(Kind.JOB_EXECUTE) / _SPEED

    async def perform(task: Task) -> str:
        begun.append((decode(task.input)["number"], time(), limits.refused.total()))
        return "done"

    await add(store, *((f"k{number:02}", "webhook", {"number": number}) for number in range(_TASKS)))
    began = time()
    async with running(store, {"webhook": perform}, wait=wait):
        await until(lambda: len(begun) == _TASKS)
        states = [(await ended(store, number + 1)).state for number in range(_TASKS)]
    assert states == [TaskState.DONE] * _TASKS
    assert [number for number, *_ in begun] == [*range(_TASKS)]
    assert all(refused <= 1 for *_, refused in begun[:10])  # the eleventh is
    assert all(at - began >= 6 * (place - 9) - 0.1 for place, (_, at, _) in enumerate(begun))
