from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfx.sandbox.errors import Unavailable
from wfx.sandbox.fair_queue import FairQueue

PATIENCE = 60.0
"""Seconds; nothing here waits that long."""
COSTLY = 100


class Line:
    """Work that waits at a queue, and the order in which it got its turn."""

    def __init__(self, at_once: int = 1) -> None:
        self.queue = FairQueue(at_once, COSTLY)
        self.begun: list[str] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, name: str, client: str, cost: int) -> None:
        """Ask for a turn."""
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._work(name, client, cost))
        await settle()

    async def end(self, name: str) -> None:
        """Give a turn up."""
        self._ends[name].set()
        await self._tasks[name]
        await settle()

    async def leave(self, name: str) -> None:
        """Ask no more, or stop in the middle of the turn."""
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await settle()

    async def finish(self) -> list[str]:
        """Let everything end that has a turn, one after the other; gives the whole order."""
        for name in self.begun:  # grows meanwhile
            await self.end(name)
        return self.begun

    async def _work(self, name: str, client: str, cost: int) -> None:
        async with self.queue.turn(client, cost, PATIENCE):
            self.begun.append(name)
            await self._ends[name].wait()


async def settle() -> None:
    """Let all tasks go as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_small_before_large() -> None:
    """Whatever came first, of those that wait the small has its turn before the large, also one client's."""
    line = Line()
    await line.come("first", "a", 50)
    await line.come("large of b", "b", 90)
    await line.come("small of b", "b", 1)
    await line.come("small of c", "c", 2)
    assert await line.finish() == ["first", "small of b", "small of c", "large of b"]


async def test_of_equal_ones_the_first_comes_first() -> None:
    """Bodies of one size are read in the order in which they came."""
    line = Line()
    for number in range(5):
        await line.come(str(number), "a", 10)
    assert await line.finish() == ["0", "1", "2", "3", "4"]


async def test_clients_take_turns() -> None:
    """A client that comes later, with one body, does not wait for all of another client's; then both take turns."""
    line = Line()
    for number in range(4):
        await line.come(f"a{number}", "a", 50)
    await line.come("b0", "b", 50)
    await line.come("b1", "b", 50)
    assert await line.finish() == ["a0", "b0", "a1", "b1", "a2", "a3"]


async def test_a_share_is_measured_by_cost() -> None:
    """Who sends small bodies has more turns than who sends large ones."""
    line = Line()
    await line.come("first", "c", 1)
    for number in range(3):
        await line.come(f"a{number}", "a", 90)
        await line.come(f"b{number}", "b", 30)
    assert await line.finish() == ["first", "b0", "b1", "a0", "b2", "a1", "a2"]


async def test_the_past_does_not_count() -> None:
    """Who had much while nobody else wanted anything owes nothing, and who had nothing has not saved up."""
    line = Line()
    for number in range(20):
        await line.come(f"alone {number}", "a", 90)
        await line.end(f"alone {number}")
    await line.come("first", "c", 1)
    for number in range(3):
        await line.come(f"a{number}", "a", 50)
        await line.come(f"b{number}", "b", 50)
    assert (await line.finish())[-6:] == ["a0", "b0", "a1", "b1", "a2", "b2"]


async def test_large_ones_never_take_the_last_place() -> None:
    """However many large bodies wait, a small one finds a place at once."""
    line = Line(at_once=2)
    for number in range(5):
        await line.come(f"large {number}", f"client {number}", COSTLY + 1)
    assert line.begun == ["large 0"]
    await line.come("small", "z", COSTLY)
    assert line.begun == ["large 0", "small"]
    await line.end("small")
    assert line.begun == ["large 0", "small"]
    await line.end("large 0")
    assert line.begun == ["large 0", "small", "large 1"]


async def test_who_leaves_makes_room() -> None:
    """A turn that is given up, before, during or in the very moment it is given, is the next one's."""
    line = Line()
    for name in ("a", "b", "c", "d"):
        await line.come(name, name, 10)
    await line.leave("b")
    await line.leave("a")
    assert line.begun == ["a", "c"]
    line._ends["c"].set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await line.leave("d")
    await line.come("e", "e", 10)
    assert line.begun[-1] == "e"
    await line.end("e")
    assert (line.queue.running, line.queue.waiting) == (0, 0)


async def test_waiting_has_an_end() -> None:
    """Who has waited for long enough is told to come again; those behind still have their turn."""
    line = Line()
    await line.come("a", "a", 10)
    with pytest.raises(Unavailable):
        async with line.queue.turn("b", 1, 0.01):
            pass
    await line.come("c", "c", 10)
    assert await line.finish() == ["a", "c"]


async def test_nobody_has_a_turn_once_it_is_closed() -> None:
    """When the service stops, whoever waits is told so, and so is who comes then."""
    line = Line()
    await line.come("a", "a", 10)
    await line.come("b", "b", 10)
    line.queue.close()
    with pytest.raises(Unavailable, match="stopping"):
        await line._tasks["b"]
    with pytest.raises(Unavailable, match="stopping"):
        async with line.queue.turn("c", 1, PATIENCE):
            pass
    await line.end("a")
    assert (line.queue.running, line.queue.waiting) == (0, 0)


COMING = st.tuples(st.just("come"), st.sampled_from("abc"), st.integers(1, 2 * COSTLY))
GOING = st.tuples(st.sampled_from(["end", "leave"]), st.integers(0, 9))


@settings(max_examples=60)
@given(st.integers(1, 3), st.lists(COMING | GOING, max_size=40))
def test_whatever_happens(at_once: int, steps: list[tuple[str, str, int] | tuple[str, int]]) -> None:
    """Whoever comes and leaves: no more turns than allowed at once, none lost, and no place free while one waits."""

    async def live() -> None:
        line, costs, here = Line(at_once), dict[str, int](), list[str]()
        for number, step in enumerate(steps):
            match step:
                case ("come", str(client), cost):
                    here.append(str(number))
                    costs[str(number)] = cost
                    await line.come(str(number), client, cost)
                case (how, int(place)) if here:
                    name = here.pop(place % len(here))
                    await (line.end(name) if how == "end" and name in line.begun else line.leave(name))
            check(line, costs, here, at_once)
        for name in here:
            await line.leave(name)
        assert (line.queue.running, line.queue.waiting, line.queue._clients) == (0, 0, {})

    asyncio.run(live())


def check(line: Line, costs: dict[str, int], here: list[str], at_once: int) -> None:
    """Hold the turns that are had against the rules."""
    running = [name for name in line.begun if name in here]
    large = Counter(costs[name] > COSTLY for name in running)[True]
    assert line.queue.running == len(running) <= at_once
    assert line.queue.waiting == len(here) - len(running)
    assert large <= max(1, at_once - 1)
    waiting = [costs[name] for name in here if name not in running]
    if waiting and len(running) < at_once:
        assert large == max(1, at_once - 1)
        assert min(waiting) > COSTLY
