"""Threads of steps: what hangs holds up its own step alone, and is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from threading import Event
from typing import Any

import pytest

from tests.waiting import until
from wfx.reactions import step_threads
from wfx.reactions.step_threads import MOST, MOST_HANGING, MOST_OF_ONE, StepFailed, StepThreads
from wfx.tasks.counts import TaskCounts
from wfx.tasks.performing import TryAgain


class _Calls:
    """Functions that hang until the test ends, or end at once."""

    def __init__(self, seconds: float) -> None:
        self.counts = TaskCounts()
        self.may_end = Event()
        self.threads = StepThreads(seconds, self.counts)

    async def hang(self, name: str, many: int) -> list[Any]:
        calls = (self.threads.call(name, self.may_end.wait) for _ in range(many))
        return await asyncio.gather(*calls, return_exceptions=True)

    async def quick(self, name: str) -> Any:
        return await self.threads.call(name, lambda: name)


@pytest.fixture
async def made() -> AsyncIterator[Callable[[float], _Calls]]:
    """Makes calls; at the end none of them hangs."""
    every = list[_Calls]()

    def make(seconds: float) -> _Calls:
        every.append(_Calls(seconds))
        return every[-1]

    yield make
    for calls in every:
        calls.may_end.set()
    await until(lambda: not any(calls.counts.steps_running.total() for calls in every))


async def test_steps_that_hang(made: Callable[[float], _Calls], caplog: pytest.LogCaptureFixture) -> None:
    """A step that hangs is not run any more when sixteen of its threads do; others go on, and it does once they end."""
    calls = made(0.01)
    found = [await calls.hang(name, 8) for name in ("a", "b", "a", "b", "a")]
    assert [type(each) for each in [*found[0], *found[1], *found[2], *found[3]]] == [StepFailed] * 32
    assert {str(each) for each in found[4]} == {f"{MOST_HANGING} runs of the step a have not ended in their time"}
    assert {type(each) for each in found[4]} == {TryAgain}
    assert dict(calls.counts.steps_hanging) == dict(calls.counts.steps_running) == {"a": 16, "b": 16}
    records = [record.__dict__["fields"] for record in caplog.records]
    assert [(each["step"], each["hanging"]) for each in records[:16]] == [
        (name, number + 1) for name in "ab" for number in range(8)
    ]
    assert len(records) == 32
    assert await StepThreads(60.0, calls.counts).call("c", lambda: "done") == "done"
    calls.may_end.set()
    await until(lambda: not calls.counts.steps_hanging.total())
    assert caplog.records[-1].getMessage() == "a step that had not ended in its time has ended"
    assert await StepThreads(60.0, calls.counts).call("a", lambda: "done") == "done"
    assert dict(calls.counts.steps_running) == {"a": 0, "b": 0, "c": 0}


async def test_hanging_steps_take_no_place_of_others(
    made: Callable[[float], _Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many threads hang, as many of other steps run as without them."""
    monkeypatch.setattr(step_threads, "MOST", 4)
    calls = made(0.01)
    for name in "abcdefgh":
        await calls.hang(name, 2)
    assert calls.counts.steps_hanging.total() == 16
    patient = StepThreads(60.0, calls.counts)
    waiting = [asyncio.create_task(patient.call(f"{number}", calls.may_end.wait)) for number in range(4)]
    await until(lambda: calls.counts.steps_running.total() == 20)
    with pytest.raises(TryAgain, match="too many runs at once"):
        await calls.quick("next")
    calls.may_end.set()
    assert await asyncio.gather(*waiting) == [True] * 4


async def test_a_step_has_half_of_the_places(made: Callable[[float], _Calls]) -> None:
    """Of one step half of the threads are waited for at once; other steps have the rest."""
    calls = made(60.0)
    waiting = [asyncio.create_task(calls.threads.call("a", calls.may_end.wait)) for _ in range(MOST_OF_ONE)]
    await until(lambda: calls.counts.steps_running["a"] == MOST_OF_ONE)
    with pytest.raises(TryAgain, match=f"{MOST_OF_ONE} of the step a, or {MOST} of all steps"):
        await calls.quick("a")
    assert await calls.quick("b") == "b"
    calls.may_end.set()
    assert await asyncio.gather(*waiting) == [True] * MOST_OF_ONE


async def test_an_end_beside_the_time(made: Callable[[float], _Calls], caplog: pytest.LogCaptureFixture) -> None:
    """A step that raises, or ends the program, in its time is a failure, and does not hang."""
    calls = made(60.0)
    with caplog.at_level(logging.ERROR), pytest.raises(StepFailed, match="SystemExit: 3"):
        await calls.threads.call("a", exit, 3)
    assert dict(calls.counts.steps_running) == {"a": 0}
    assert not calls.counts.steps_hanging.total()


class _Speechless(Exception):
    """One whose text cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError


async def test_an_exception_without_a_text(made: Callable[[float], _Calls]) -> None:
    """A step whose exception cannot say what it is has failed at once, and its thread does not count as hanging."""

    def fail() -> None:
        raise _Speechless

    calls = made(60.0)
    with pytest.raises(StepFailed, match=r"^_Speechless$"):
        await calls.threads.call("a", fail)
    assert not calls.counts.steps_running.total() + calls.counts.steps_hanging.total()


@pytest.mark.parametrize("withheld", [False, True])
async def test_what_is_logged_of_a_failure(
    made: Callable[[float], _Calls],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    *,
    withheld: bool,
) -> None:
    """The log has the traceback of a step that fails, but only the exception's type where messages are withheld."""

    def failing() -> None:
        raise ValueError("private")

    monkeypatch.setattr("wfx.logs.is_withheld", lambda name: withheld and name == "message")
    with pytest.raises(StepFailed, match="private"):
        await made(60.0).threads.call("one", failing)
    (record,) = caplog.records
    assert record.__dict__["fields"] == {"step": "one", "error": "ValueError"}
    assert (record.exc_info is None) is withheld
    assert ("private" in caplog.text) is not withheld
