"""Changes that are made in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from wfx.domain.errors import CommandTimedOut, StoreBusy, StoreUnavailable, TransitionRefused
from wfx.service.command import Command

Decide = Callable[[str], str]


async def run(seconds: float, decide: Decide, work: Callable[[Decide], Coroutine[Any, Any, str]]) -> str:
    """Do work with a decision that has so much time."""
    command = Command(seconds)
    return await command.run(lambda: work(command.timed(decide)))


async def test_a_change_that_has_begun() -> None:
    """A change whose decision was taken in time is answered with what becomes of it, however long that takes."""

    async def work(decide: Decide) -> str:
        decided = decide("job")
        await asyncio.sleep(0.2)
        return decided

    assert await run(0.1, str.upper, work) == "JOB"


async def test_a_change_that_has_not_begun() -> None:
    """A change whose decision is asked for too late is refused at once, and its decision is never taken."""
    asked: list[str] = []
    late = asyncio.Event()
    kept: list[Decide] = []

    async def work(decide: Decide) -> str:
        kept.append(decide)
        await late.wait()
        return decide("job")

    with pytest.raises(CommandTimedOut):
        await run(0.01, lambda job: asked.append(job) or job, work)  # type: ignore[func-returns-value]
    with pytest.raises(CommandTimedOut):
        kept[0]("job")  # as a store does whose batch was on its way
    assert asked == []


async def test_a_change_that_is_tried_again() -> None:
    """A change that was decided in time, but not made, is not decided once more when its time is over."""

    async def work(decide: Decide) -> str:
        decide("job")
        await asyncio.sleep(0.2)
        return decide("job that somebody has changed meanwhile")

    with pytest.raises(CommandTimedOut):
        await run(0.1, str.upper, work)


async def test_a_refusal() -> None:
    """What the decision says against a change is told as without a limit."""

    def refuse(_job: str) -> str:
        raise TransitionRefused("no")

    async def work(decide: Decide) -> str:
        return decide("job")

    with pytest.raises(TransitionRefused):
        await run(60, refuse, work)


async def test_a_caller_who_leaves() -> None:
    """When the caller leaves, whatever waited for the change is given up, too."""
    given_up, waits = asyncio.Event(), asyncio.Event()

    async def work(_decide: Decide) -> str:
        waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return ""

    task = asyncio.create_task(run(60, str.upper, work))
    await waits.wait()
    task.cancel()
    async with asyncio.timeout(60):
        await given_up.wait()


async def test_a_store_that_is_busy() -> None:
    """A change that the store was too busy for is tried again while there is time, and made then."""
    refusals = [StoreBusy("locked"), StoreBusy("locked")]

    async def work(decide: Decide) -> str:
        decided = decide("job")
        if refusals:
            raise refusals.pop()
        return decided

    assert await run(60, str.upper, work) == "JOB"


async def test_a_store_that_stays_busy() -> None:
    """When the time is over, a change that the store was too busy for is refused for its time, decided or not."""
    is_over = asyncio.Event()

    async def work(decide: Decide) -> str:
        decide("job")
        await is_over.wait()
        raise StoreBusy("locked")

    asyncio.get_running_loop().call_later(0.3, is_over.set)
    with pytest.raises(CommandTimedOut):
        await run(0.1, str.upper, work)


async def test_a_store_that_does_not_know() -> None:
    """A change that may have been made is not refused for its time, however late that is told."""

    async def work(decide: Decide) -> str:
        decide("job")
        await asyncio.sleep(0.2)
        raise StoreUnavailable("it is unknown whether the change was made")

    with pytest.raises(StoreUnavailable, match="unknown"):
        await run(0.1, str.upper, work)


async def test_no_limit() -> None:
    """Without a limit a busy store is told of as it is."""

    async def work(decide: Decide) -> str:
        decide("job")
        raise StoreBusy("locked")

    with pytest.raises(StoreBusy):
        await run(0, str.upper, work)
