"""Changes that are made in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from wfx.domain.errors import CommandTimedOut, TransitionRefused
from wfx.service.command import Command

Decide = Callable[[str], str]


async def test_a_change_that_has_begun() -> None:
    """A change whose decision was taken in time is answered with what becomes of it, however long that takes."""

    async def work(decide: Decide) -> str:
        decided = decide("job")
        await asyncio.sleep(0.2)
        return decided

    assert await Command[str, str](0.1).run(str.upper, work) == "JOB"


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
        await Command[str, str](0.01).run(lambda job: asked.append(job) or job, work)  # type: ignore[func-returns-value]
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
        await Command[str, str](0.1).run(str.upper, work)


async def test_a_refusal() -> None:
    """What the decision says against a change is told as without a limit."""

    def refuse(_job: str) -> str:
        raise TransitionRefused("no")

    async def work(decide: Decide) -> str:
        return decide("job")

    with pytest.raises(TransitionRefused):
        await Command[str, str](60).run(refuse, work)


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

    task = asyncio.create_task(Command[str, str](60).run(str.upper, work))
    await waits.wait()
    task.cancel()
    async with asyncio.timeout(60):
        await given_up.wait()
