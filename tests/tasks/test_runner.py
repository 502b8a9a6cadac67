"""The runner performs each task that is due, as many at once as it may, and loses none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import pytest

from tests.tasks.working import AT_ONCE, add, attempts_of, ended, in_state, message, running, task_of, until_true
from tests.waiting import until
from wfx.domain.errors import StoreUnavailable
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import LONGEST_NAME, NewTask, RuleRecords, Task, TaskOutcome, TaskState
from wfx.store.upkeep import present
from wfx.tasks import runner as runner_module
from wfx.tasks.attempt import Attempts
from wfx.tasks.performing import CannotBeDone, Ending, NotYet, TryAgain
from wfx.tasks.retry_plan import DELAYS, RetryPlan
from wfx.tasks.runner import TaskRunner

LATER = Timestamp(2**52)
"""When a task is due that waits for a limit."""


class Clock:
    """A clock of store and runner that is set."""

    def __init__(self) -> None:
        self.now = 2_000_000_000_000_000

    def __call__(self) -> Timestamp:
        """Tell the time."""
        return Timestamp(self.now)


class Work:
    """Performs tasks, and lets them end when it is told to."""

    def __init__(self, *, open_: bool = True) -> None:
        self.began: list[str] = []
        self.most = 0
        self._now = 0
        self.open = asyncio.Event()
        if open_:
            self.open.set()

    async def perform(self, task: Task) -> str:
        """Wait until the gate is open."""
        self.began.append(task.key)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await self.open.wait()
        finally:
            self._now -= 1
        return "well done"


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store in memory."""
    found = await open_memory()
    yield found
    await found.close()


async def all_done(store: Store, count: int) -> None:
    """Wait until the first tasks are done."""
    for number in range(1, count + 1):
        await in_state(store, number, TaskState.DONE)


async def test_all_that_is_due_is_done(store: Store) -> None:
    """Tasks that were there before the runner and those that come later are done, in the order of their due times."""
    work = Work()
    await add(store, *((f"k{n}", "work", n) for n in range(5)))
    async with running(store, {"work": work.perform}, at_most=1) as runner:
        await all_done(store, 5)
        await add(store, ("k5", "work", 5))
        runner.wake()
        await all_done(store, 6)
    assert work.began == [f"k{n}" for n in range(6)]


async def test_at_most_so_many_at_once(store: Store) -> None:
    """Of many tasks that are due as many run at once as may, and the others follow."""
    work = Work(open_=False)
    await add(store, *((f"k{n}", "work", n) for n in range(40)))
    async with running(store, {"work": work.perform}, at_most=4):
        await until(lambda: len(work.began) == 4)
        work.open.set()
        await all_done(store, 40)
    assert (work.most, sorted(work.began)) == (4, sorted(f"k{n}" for n in range(40)))


async def test_other_kinds_are_left_alone(store: Store) -> None:
    """A task of a kind that nobody here performs stays as it is."""
    work = Work()
    await add(store, ("a", "other", 1), ("b", "work", 1))
    async with running(store, {"work": work.perform}):
        await in_state(store, 2, TaskState.DONE)
    assert (await task_of(store, 1)).state is TaskState.WAITING


async def test_nothing_is_asked_while_nothing_is_due(store: Store) -> None:
    """Without tasks the runner asks the store for those that wait, and for those that are due, and sleeps."""
    asked = 0

    class Counting:
        def __getattr__(self, name: str) -> Any:
            nonlocal asked
            asked += 1
            return getattr(store, name)

    counting: Any = Counting()
    async with running(counting, {"work": Work().perform}):
        await until(lambda: asked == 2)
        for _ in range(50):
            await asyncio.sleep(0)
    assert asked == 2


async def test_later_tasks_wait() -> None:
    """A task that failed is tried again when its time has come, and not before."""
    clock, tries = Clock(), []
    at_clock = await open_memory(clock=clock)

    async def failing(_: Task) -> str:
        tries.append(clock.now)
        raise TryAgain("not now")

    await add_at(at_clock, clock)
    attempts = Attempts(at_clock, RetryPlan((5.0, 300.0), lambda *_: 1.0), now=clock)
    async with TaskRunner(at_clock, {"work": failing}, attempts, at_most=lambda: 1, now=clock) as runner:
        await until(lambda: len(tries) == 1)
        for early, late in ((4_999_999, 1), (299_999_999, 1)):
            task = await in_state(at_clock, 1, TaskState.WAITING)
            clock.now += early
            runner.wake()
            for _ in range(20):
                await asyncio.sleep(0)
            assert (await task_of(at_clock, 1)).state is TaskState.WAITING
            clock.now += late
            runner.wake()
            await until(partial(_more_than, tries, len(tries)))
        task = await ended(at_clock)
    assert (task.state, message(task), len(tries)) == (TaskState.FAILED, "not now", 3)
    await at_clock.close()


def _more_than(tries: Sequence[int], count: int) -> bool:
    return len(tries) > count


async def add_at(store: Store, clock: Clock) -> None:
    """Write a task that is due by this clock."""
    consumer = await store.consumer("rules")
    records = RuleRecords(tasks=[NewTask("k", "work", encode(1), clock())])
    await store.step("rules", consumer.position, consumer.steps, consumer.position, (), records)


async def test_a_replay_has_the_whole_plan(store: Store) -> None:
    """A failed task that is replayed is tried as often as a new one; its attempts are counted on."""

    async def failing(_: Task) -> str:
        raise TryAgain("no")

    await add(store, ("k", "work", 1))
    async with running(store, {"work": failing}, plan=RetryPlan((0.0, 0.0))) as runner:
        assert attempts_of(await ended(store)) == 3
        await store.replay_task(1)
        runner.wake()
        await until_true(lambda: _attempts_are(store, 6), "three more attempts")


async def test_what_is_doubtful_is_tried_a_few_times(store: Store) -> None:
    """Attempts that fail in doubt end a task with the third of them, however long the plan is; a replay begins anew."""
    tries = []

    async def failing(_: Task) -> str:
        tries.append(1)
        raise TryAgain("no", is_doubtful=len(tries) != 2)

    await add(store, ("k", "work", 1))
    async with running(store, {"work": failing}) as runner:
        assert attempts_of(await ended(store)) == 4
        await store.replay_task(1)
        runner.wake()
        await until_true(lambda: _attempts_are(store, 7), "three more attempts")


async def _attempts_are(store: Store, count: int) -> bool:
    task = await task_of(store, 1)
    return task.state is TaskState.FAILED and attempts_of(task) == count


async def test_unexpected_errors_are_retried(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody has foreseen is logged with its place, and the task tried again."""
    tries = []

    async def odd(_: Task) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("odd")
        return "fine"

    await add(store, ("k", "work", 1))
    async with running(store, {"work": odd}):
        assert (await ended(store)).state is TaskState.DONE
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(("kind", "shown"), [("run_script", False), ("run_step", False), ("webhook_notify", True)])
async def test_messages_of_programs(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, kind: str, *, shown: bool
) -> None:
    """Where messages of devices are not logged, neither is what a program says, since it sees definitions."""

    async def told(_: Task) -> str:
        raise CannotBeDone("Error: private")

    monkeypatch.setattr("wfx.logs.is_withheld", lambda name: name == "message")
    await add(store, ("k", kind, {}))
    async with running(store, {kind: told}):
        assert message(await ended(store)) == "Error: private"
    assert "task 1 is failed" in caplog.text
    assert ("private" in caplog.text) is shown


async def test_a_reason_that_is_no_text(store: Store) -> None:
    """A task ends though its reason has half of a surrogate pair, as names of files may have; the reason shows it."""

    async def perform(_: Task) -> str:
        raise CannotBeDone("no such file: /data/\udcff")

    await add(store, ("a", "x", {}))
    async with running(store, {"x": perform}):
        task = await ended(store)
    assert (task.state, message(task)) == (TaskState.FAILED, "no such file: /data/\\udcff")


async def test_a_store_that_cannot_be_asked(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A task during which the store, or that of limits, fails is tried again with that reason, without a traceback."""

    async def failing(_: Task) -> str:
        raise StoreUnavailable("the store is away")

    await add(store, ("k", "work", 1))
    async with running(store, {"work": failing}):
        assert message(await ended(store)) == "the store is away"
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("hold", [5.0, 0.0])
async def test_a_limit_makes_tasks_wait_in_order(store: Store, hold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a limit lets ten run at once, and then one at a time, all are run in the order of their creation."""
    monkeypatch.setattr(runner_module, "_HOLD_SECONDS", hold)
    work, tokens = Work(), 10

    async def limited(_: Task) -> float:
        nonlocal tokens
        tokens -= 1
        if tokens >= 0:
            return 0
        tokens = 1
        return 0.001

    async with running(store, {"work": work.perform}, wait=limited, at_most=4) as runner:
        await add(store, *((f"k{n:02}", "work", n) for n in range(30)))
        runner.wake()
        await all_done(store, 30)
    assert work.began == [f"k{n:02}" for n in range(30)]


async def test_what_is_given_back_is_no_attempt(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that waited for a limit has as many attempts as it was performed."""
    monkeypatch.setattr(runner_module, "_HOLD_SECONDS", 0.0)
    work, waits = Work(), [0.001, 0.0]

    async def limited(_: Task) -> float:
        return waits.pop(0)

    await add(store, ("k", "work", 1))
    async with running(store, {"work": work.perform}, wait=limited):
        task = await ended(store)
    assert attempts_of(task) == 1
    assert task.attempts == 2


async def test_one_that_waits_alone(store: Store) -> None:
    """A task that may not be run yet is put off, without an attempt and with the reason; those behind it are run."""
    work, tokens = Work(), {"b", "c"}

    async def limited(task: Task) -> float:
        if task.key not in tokens:
            raise NotYet(LATER, "waits for the limit")
        return 0

    await add(store, ("a", "work", 1), ("b", "work", 1), ("c", "work", 1))
    async with running(store, {"work": work.perform}, wait=limited, at_most=1) as runner:
        await in_state(store, 3, TaskState.DONE)
        put_off = await in_state(store, 1, TaskState.WAITING)
        assert (put_off.due, attempts_of(put_off), message(put_off)) == (LATER, 0, "waits for the limit")
        assert runner.counts.attempts["work"] == 2
        tokens.add("a")
        runner.hurry()
        await in_state(store, 1, TaskState.DONE)
    assert work.began == ["b", "c", "a"]


async def test_what_waits_for_a_limit_is_tried_at_the_start(store: Store) -> None:
    """A runner that begins has tasks that wait for limits be due; those that are tried again later are not."""
    tries: list[str] = []

    async def failing(task: Task) -> str:
        tries.append(task.key)
        raise TryAgain("no")

    async def limited(task: Task) -> float:
        if task.key == "a":
            raise NotYet(LATER, "waits for the limit")
        return 0

    await add(store, ("a", "work", 1), ("b", "work", 1))
    plan = RetryPlan((86_400.0,))
    async with running(store, {"work": failing}, plan=plan, wait=limited):
        await until_true(lambda: _is_put_off(store, 1), "the first one is put off")
        await until_true(lambda: _is_put_off(store, 2), "the second one has failed once")
    assert tries == ["b"]
    async with running(store, {"work": failing}, plan=plan) as runner:
        await until_true(lambda: _has_tried(store, 1), "the first one was tried")
        runner.hurry()
        await until_true(lambda: _is_put_off(store, 1), "it is tried again later")
    assert tries == ["b", "a"]


async def _is_put_off(store: Store, task_id: int) -> bool:
    task = await task_of(store, task_id)
    return task.state is TaskState.WAITING and task.due > present() and message(task) != ""


async def _has_tried(store: Store, task_id: int) -> bool:
    return attempts_of(await task_of(store, task_id)) == 1


async def test_a_limit_that_changes_meanwhile(store: Store) -> None:
    """A task that is put off by limits that change at this moment is tried by the new ones."""
    asked: list[str] = []

    async def limited(task: Task) -> float:
        asked.append(task.key)
        if len(asked) == 1:
            runner.hurry()
            raise NotYet(LATER, "waits for the limit")
        return 0

    async with running(store, {"work": Work().perform}, wait=limited) as runner:
        await add(store, ("a", "work", 1))
        runner.wake()
        await in_state(store, 1, TaskState.DONE)
    assert asked == ["a", "a"]


async def test_an_end_gives_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that ends in the middle of a task gives it back, and the next one does it at once."""
    monkeypatch.setattr(runner_module, "_END_SECONDS", 0.01)
    work, again = Work(open_=False), Work()
    await add(store, ("k", "work", 1))
    async with running(store, {"work": work.perform}):
        await until(lambda: work.began)
    assert (await task_of(store, 1)).state is TaskState.WAITING
    async with running(store, {"work": again.perform}):
        await in_state(store, 1, TaskState.DONE)
    assert again.began == ["k"]


async def test_a_lost_claim_is_not_finished() -> None:
    """Who was so slow that somebody else has claimed the task notes nothing, and the other one's end counts."""
    clock = Clock()
    store = await open_memory(clock=clock)
    await add_at(store, clock)
    work = Work(open_=False)
    attempts = Attempts(store, now=clock)
    async with TaskRunner(store, {"work": work.perform}, attempts, at_most=lambda: 1, now=clock):
        await until(lambda: work.began)
        clock.now += 31_000_000
        (taken,) = await store.claim_tasks(["work"], 1, 30)
        work.open.set()
        await until(lambda: attempts.counts.attempts["work"] == 1)
        assert (await task_of(store, 1)).state is TaskState.RUNNING
        await store.finish_task(taken, TaskOutcome(TaskState.DONE, taken.input))
    assert attempts.counts.done["work"] == 0
    await store.close()


async def test_a_store_that_fails_for_a_moment(store: Store) -> None:
    """The end of a task is written once the store works again; the task is not performed once more."""
    work, failures = Work(), 2

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def finish_task(self, *given: Any) -> Any:
            nonlocal failures
            if failures:
                failures -= 1
                raise StoreUnavailable("no")
            return await store.finish_task(*given)

    failing: Any = Failing()
    await add(store, ("k", "work", 1))
    async with running(failing, {"work": work.perform}):
        await in_state(store, 1, TaskState.DONE)
    assert (work.began, failures) == (["k"], 0)


def test_the_plan() -> None:
    """The plan begins with five seconds and ends with a day; no delay is further off than a tenth."""
    assert (DELAYS[0], DELAYS[-1], len(DELAYS)) == (5, 86_400, 9)
    for failures, delay in enumerate(DELAYS, 1):
        for _ in range(100):
            found = RetryPlan().delay(failures)
            assert found is not None
            assert 0.9 * delay <= found <= 1.1 * delay
    assert RetryPlan().delay(10) is None
    assert len({RetryPlan().delay(1) for _ in range(20)}) > 1
    assert AT_ONCE.delay(9) == 0


async def test_what_cannot_be_stored(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A task whose effects no store can write has failed, and is not performed for ever."""

    async def perform(_: Task) -> Ending:
        task = NewTask("x" * (LONGEST_NAME + 1), "kind", encode(None), Timestamp(0))
        return Ending((), RuleRecords(tasks=(task,)), lambda _: "done")

    await add(store, ("a", "kind", 1))
    async with running(store, {"kind": perform}):
        task = await ended(store)
    assert (task.state, message(task)) == (TaskState.FAILED, "what follows cannot be stored: ValueError")
    assert "what follows from task 1 cannot be stored" in caplog.messages
