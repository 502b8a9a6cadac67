"""Doing together what is asked for at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from wfx.domain.errors import StoreFull, StoreUnavailable
from wfx.store.batching import AGAIN, LARGE, Batcher


class Work:
    """Counts what it is given, and can be made to wait."""

    def __init__(self) -> None:
        """Do not wait."""
        self.batches: list[list[Any]] = []
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self.answer: Callable[[Any], Any] = lambda item: item * 10

    async def __call__(self, items: Sequence[Any]) -> list[Any]:
        """Answer a batch."""
        self.batches.append(list(items))
        self.begun.set()
        await self.free.wait()
        return [self.answer(item) for item in items]


@asynccontextmanager
async def group_of(work: Work, waiting: int = 100, together: int = 100) -> AsyncIterator[Batcher[Any]]:
    """Start a group and close it."""
    group = Batcher(work, at_most_waiting=waiting, at_most_together=together)
    yield group
    await group.close()


async def test_what_arrives_together_is_done_together() -> None:
    """Items of one moment make one batch in order, and each caller gets its own answer."""
    work = Work()
    async with group_of(work) as group:
        assert await asyncio.gather(*map(group.submit, range(5))) == [0, 10, 20, 30, 40]
    assert work.batches == [[0, 1, 2, 3, 4]]


async def test_batches_are_observed() -> None:
    """Who wants to know is told of each batch: how many items it had and how long it took."""
    told: list[tuple[int, float]] = []
    work = Work()
    group = Batcher(
        work, at_most_waiting=100, at_most_together=3, on_batch=lambda size, seconds: told.append((size, seconds))
    )
    await asyncio.gather(*map(group.submit, range(5)))
    await group.close()
    assert [size for size, _ in told] == [3, 2]
    assert all(seconds >= 0 for _, seconds in told)


async def test_small_items_wait_for_one_large_item_at_most() -> None:
    """A large item is a batch of its own, and between two of them all that is small has its turn."""
    work = Work()
    group = Batcher(work, at_most_waiting=100, at_most_together=3, large=lambda item: item >= 100)
    numbers = [100, 200, 1, 2, 300, 3, 4]
    assert await asyncio.gather(*map(group.submit, numbers)) == [10 * number for number in numbers]
    await group.close()
    assert work.batches == [[1, 2, 3], [100], [4], [200], [300]]


async def test_an_item_that_turns_out_to_be_large_waits_with_the_large_ones() -> None:
    """An item that is answered as large is a batch of its own later; its caller and closing wait for that."""
    work = Work()
    work.answer = lambda item: LARGE if item == 2 and len(work.batches[-1]) > 1 else item * 10
    async with group_of(work) as group:
        callers = [asyncio.create_task(group.submit(number)) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        await group.close()
        assert [await caller for caller in callers] == [10, 20, 30]
    assert work.batches == [[1, 2, 3], [2]]


async def test_an_exclusive_item_is_a_batch_of_its_own() -> None:
    """An exclusive item is handled in order of arrival, as a batch of its own."""
    work = Work()
    group = Batcher(work, at_most_waiting=100, at_most_together=3, exclusive=lambda item: item % 10 == 0)
    numbers = [0, 1, 2, 10, 20, 3, 4, 5, 6, 30]
    assert await asyncio.gather(*map(group.submit, numbers)) == [10 * number for number in numbers]
    await group.close()
    assert work.batches == [[0], [1, 2], [10], [20], [3, 4, 5], [6], [30]]


async def test_exclusive_items_may_go_together() -> None:
    """Exclusive items that go together with the first one of a batch are in it, up to one that does not."""
    work = Work()
    group = Batcher(
        work, at_most_waiting=100, at_most_together=3,
        exclusive=lambda item: item % 10 == 0, joins=lambda first, other: (first, other) in ((10, 20), (10, 30)),
    )  # fmt: skip
    numbers = [10, 20, 1, 2, 10, 20, 30, 40, 10, 3, 20, 10]
    assert await asyncio.gather(*map(group.submit, numbers)) == [10 * number for number in numbers]
    await group.close()
    assert work.batches == [[10, 20], [1, 2], [10, 20, 30], [40], [10], [3], [20], [10]]


async def test_what_arrives_meanwhile_goes_next() -> None:
    """Items that arrive during a batch wait for it and then go together, at most so many at a time."""
    work = Work()
    work.free.clear()
    async with group_of(work, together=3) as group:
        first = asyncio.create_task(group.submit(0))
        await work.begun.wait()
        rest = [asyncio.create_task(group.submit(item)) for item in range(1, 6)]
        await asyncio.sleep(0)
        work.free.set()
        assert await asyncio.gather(first, *rest) == [0, 10, 20, 30, 40, 50]
    assert work.batches == [[0], [1, 2, 3], [4, 5]]


async def test_callers_that_ask_again_stay_together() -> None:
    """Two callers that each ask again once they are answered share their batches, and do not take turns."""

    async def ask(batcher: Batcher[Any], name: str) -> None:
        for number in range(20):
            assert await batcher.submit(f"{name}{number}") == f"{name}{number}"

    async def answer(items: Sequence[Any]) -> list[Any]:
        batches.append(list(items))
        begun.set()
        for _ in range(7):  # a commit takes longer than it takes to ask again
            await asyncio.sleep(0)
        return list(items)

    batches: list[list[Any]] = []
    begun = asyncio.Event()
    batcher = Batcher(answer, at_most_waiting=100, at_most_together=100)
    first = asyncio.create_task(ask(batcher, "a"))
    await begun.wait()  # the second one comes while the first one is being answered
    await asyncio.gather(first, ask(batcher, "b"))
    assert max(map(len, batches)) == 2
    assert len(batches) <= 22  # 40 if they took turns
    await batcher.close()


async def test_a_sole_caller_waits_for_nobody() -> None:
    """One caller that asks again once it is answered does not wait turns of the loop in which others could come."""

    async def ask() -> None:
        for number in range(20):
            assert await batcher.submit(number) == number * 10

    batcher = Batcher(work := Work(), at_most_waiting=100, at_most_together=100)
    caller = asyncio.create_task(ask())
    turns = 0
    while not caller.done():
        turns += 1
        await asyncio.sleep(0)
    assert len(work.batches) == 20
    assert turns < 3 * 20  # 5 for each if it waited
    await batcher.close()


async def test_too_many_are_turned_away() -> None:
    """A full queue refuses at once, and takes items again when there is room."""
    work = Work()
    work.free.clear()
    async with group_of(work, waiting=2) as group:
        accepted = [asyncio.create_task(group.submit(item)) for item in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match="too many"):
            await group.submit(2)
        work.free.set()
        assert await asyncio.gather(*accepted) == [0, 10]
        assert await group.submit(3) == 30


async def test_an_exception_among_the_answers_is_for_its_caller() -> None:
    """Only the caller whose item was refused hears of it."""
    work = Work()
    work.answer = lambda item: KeyError(item) if item == 1 else item
    async with group_of(work) as group:
        answers = await asyncio.gather(*map(group.submit, range(3)), return_exceptions=True)
    assert answers[::2] == [0, 2]
    assert isinstance(answers[1], KeyError)


async def test_a_failure_of_the_store_is_for_all() -> None:
    """When the store fails a batch, each caller gets an error object of its own, and the next batch is tried."""
    work = Work()

    def full(_: Any) -> Any:
        raise StoreFull("no room")

    async with group_of(work) as group:
        work.answer = full
        answers = await asyncio.gather(*map(group.submit, range(3)), return_exceptions=True)
        assert {(type(answer), str(answer)) for answer in answers} == {(StoreFull, "no room")}
        assert len({id(answer) for answer in answers}) == 3
        work.answer = lambda item: item
        assert await group.submit(7) == 7
    assert work.batches == [[0, 1, 2], [7]]


async def test_an_item_that_breaks_the_batch_breaks_alone() -> None:
    """When a batch fails for an unexpected reason its items are done one by one, so only the culprit fails."""
    work = Work()
    work.answer = lambda item: 1 // item
    async with group_of(work) as group:
        answers = await asyncio.gather(*map(group.submit, (1, 0, 1)), return_exceptions=True)
        assert answers[::2] == [1, 1]
        assert isinstance(answers[1], ZeroDivisionError)
        with pytest.raises(ZeroDivisionError):
            await group.submit(0)
    assert work.batches == [[1, 0, 1], [1], [0], [1], [0]]


async def test_cancelled_callers_leave_no_trace() -> None:
    """Items whose caller went away before the batch are not done; those of a batch under way are done unheard."""
    work = Work()
    work.free.clear()
    async with group_of(work) as group:
        running = asyncio.create_task(group.submit(0))
        await work.begun.wait()
        waiting = [asyncio.create_task(group.submit(item)) for item in (1, 2)]
        await asyncio.sleep(0)
        running.cancel()
        waiting[0].cancel()
        await asyncio.sleep(0)
        work.free.set()
        assert await waiting[1] == 20
    assert work.batches == [[0], [2]]


async def test_what_must_be_seen_anew_comes_first_in_the_next_batch() -> None:
    """Items that are answered AGAIN are done in the next batch, before those that came later, in their order."""
    work = Work()
    work.answer = lambda item: AGAIN if item in (1, 3) and len(work.batches) == 1 else item * 10
    async with group_of(work) as group:
        assert await asyncio.gather(*(group.submit(item) for item in range(1, 8))) == [n * 10 for n in range(1, 8)]
    assert work.batches[1][:2] == [1, 3]


async def test_closing_answers_those_who_wait() -> None:
    """After closing began nothing new is taken, and everything taken before is answered."""
    work = Work()
    work.free.clear()
    group = Batcher(work, at_most_waiting=9, at_most_together=1)
    tasks = [asyncio.create_task(group.submit(item)) for item in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="closed"):
        await group.submit(9)
    work.free.set()
    await closing
    assert [task.result() for task in tasks] == [0, 10, 20]


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, GeneratorExit, StopIteration])
async def test_an_answer_that_would_end_the_task_is_an_error_of_its_caller(kind: type[BaseException]) -> None:
    """An exception that ends tasks or programs reaches only the caller whose item it is for, as an error."""
    work = Work()
    work.answer = lambda item: kind(item) if item == 1 else item
    async with group_of(work) as group, asyncio.timeout(30):
        answers = await asyncio.gather(*map(group.submit, range(3)), return_exceptions=True)
        assert answers[::2] == [0, 2]
        assert isinstance(answers[1], RuntimeError)
        assert kind.__name__ in str(answers[1])
        assert await group.submit(5) == 5


async def test_who_observes_batches_fails_none(caplog: pytest.LogCaptureFixture) -> None:
    """When the observer of batches raises, that is logged, and the callers get their answers."""

    def fail(_size: int, _seconds: float) -> None:
        raise ZeroDivisionError

    group = Batcher(Work(), at_most_waiting=9, at_most_together=9, on_batch=fail)
    async with asyncio.timeout(30):
        assert await group.submit(1) == 10
        assert await group.submit(2) == 20
        await group.close()
    assert [record.message for record in caplog.records] == ["cannot observe a batch of the store"] * 2


async def fewer(_: Sequence[Any]) -> list[Any]:
    """Answer nobody."""
    return []


async def cancelled(_: Sequence[Any]) -> list[Any]:
    """End as if the task was cancelled."""
    raise asyncio.CancelledError


@pytest.mark.parametrize(("run", "name"), [(fewer, "ValueError"), (cancelled, "CancelledError")])
async def test_nobody_waits_for_a_task_that_has_ended(
    run: Callable[[Sequence[Any]], Awaitable[list[Any]]], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """When the task ends before its time, all who wait and all who come later are told so, and it is logged."""
    group = Batcher(run, at_most_waiting=9, at_most_together=2, large=lambda item: item == 3)
    group.require()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*map(group.submit, range(5)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert f"unexpected {name}; restart" in str(answers[0])
        with pytest.raises(StoreUnavailable, match=name):
            await group.submit(6)
        with pytest.raises(StoreUnavailable, match=name):
            group.require()
        await group.close()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_task_that_is_cancelled_before_it_begins_leaves_nobody_waiting() -> None:
    """Whoever cancels all tasks of the loop leaves no caller waiting, and closing ends."""
    group = Batcher(Work(), at_most_waiting=9, at_most_together=9)
    group._task.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(StoreUnavailable, match="CancelledError"):
            await group.submit(1)
        await group.close()
