"""Pace of the rules, by a clock that only work and rests move."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from reactions.at_work import at_work, rule_file

from tests.store.samples import begin, move
from wfx.domain.workflow import Workflow
from wfx.reactions.pace import SLICE, Pace
from wfx.store.protocol import Store


class Machine:
    """A loop: others use a share of each second that the rules rest."""

    def __init__(self, others: float) -> None:
        """Begin at 0."""
        self.now = self.used = 0.0
        self.slept = list[float]()
        self._others = others
        self.pace = Pace(lambda: self.now, lambda: self.used, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.used += seconds * self._others

    async def work(self, seconds: float, behind: int = 0) -> float:
        """Work, and return how long the rest is that follows."""
        self.now += seconds
        self.used += seconds
        self.pace.note(seconds)
        began = self.now
        await self.pace.rest(behind)
        return self.now - began


@pytest.mark.parametrize(("behind", "times"), [
    (1, 9), (5_000, 9), (27_500, 5), (50_000, 1), (1_000_000, 1),
])  # fmt: skip
async def test_a_rest_is_in_proportion_to_the_work(behind: int, times: float) -> None:
    """While others use the loop the rules take a tenth of it, and more as they fall behind, up to a half."""
    assert await Machine(others=0.5).work(0.01, behind) == pytest.approx(0.01 * times)


async def test_rules_go_on_at_once_while_nobody_else_needs_the_loop() -> None:
    """On an idle loop the rules wait for a moment alone, however long they have worked."""
    assert await Machine(others=0.01).work(0.05, 1) == pytest.approx(0.002)


async def test_what_comes_is_gathered() -> None:
    """With nothing left to do the rules look 20 times a second at most on a busy loop, however little there was."""
    assert await Machine(others=0.5).work(1e-6) == pytest.approx(0.05)
    assert await Machine(others=0.0).work(1e-6) == pytest.approx(0.002)


async def test_no_rest_is_longer_than_a_second() -> None:
    """What takes very long does not stop the rules for more than a second."""
    assert await Machine(others=0.5).work(10, 1) == pytest.approx(1)


async def test_work_is_counted_from_rest_to_rest() -> None:
    """It is time to rest after a slice of work, whatever it consists of, and after the rest no more."""
    machine = Machine(others=0.5)
    machine.pace.note(SLICE / 2)
    assert not machine.pace.is_due
    assert await machine.work(SLICE / 2, 1) == pytest.approx(SLICE * 9)
    assert not machine.pace.is_due


WAITING = """
version: v1
scenarios:
  - id: waiting
    event_types: [job.update_status]
    children:
      - condition:
          id: done
          expression: payload.to == "DONE"
          children: [{action: {id: mark, type: add_tags, params: {tags: [done]}}}]
"""


class Slow:
    """A clock by which each look at an event takes a millisecond, and what was looked at before each rest."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.now = 0.0
        self.looks = 0
        self.rests = list[int]()
        self.pace = Pace(self._clock, lambda: self.now, self._sleep)

    def _clock(self) -> float:
        self.now += 0.001
        self.looks += 1
        return self.now

    async def _sleep(self, _: float) -> None:
        self.rests.append(self.looks)
        await asyncio.sleep(0)


async def test_rules_rest_after_each_slice_of_events(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """However many events there are at once, the loop is left to others after a few milliseconds of looks at them."""
    source, slow = rule_file(tmp_path, WAITING), Slow()
    async with at_work(store, source) as work:
        job = await store.create_job(flow.name, begin())
        await work.settled()
    for number in range(60):
        await store.change_job(job.id, move("RUN", message=str(number)))
    async with at_work(store, source, pace=slow.pace) as work:
        await work.settled()
        assert work.figures.events["job.update_status"] == 60
    between = [after - before for before, after in zip(slow.rests, slow.rests[1:], strict=False)]
    assert max(between) <= 10
    assert len(slow.rests) >= 30
