"""Receivers that are slow: they have a part of the places, and the tasks of others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.clock import Clock
from tests.tasks.working import add, ended, running
from tests.waiting import until
from wfx.domain.cause import UNKNOWN
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.rules.own_actions import MAIL, RUN_SCRIPT, RUN_STEP, WEBHOOK_NOTIFY
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskState
from wfx.tasks import receivers
from wfx.tasks.receivers import Permit, Receivers

SLOW, QUICK = "https://slow.example/a?key=secret", "https://quick.example/a"


def task(number: int, url: str = SLOW, kind: str = WEBHOOK_NOTIFY) -> Task:
    """A webhook."""
    times = (Timestamp(0), 1, Timestamp(0), Timestamp(0))
    return Task(number, f"k{number}", kind, TaskState.RUNNING, *times, encode({"url": url}), None, UNKNOWN)


def test_a_slow_receiver_has_a_quarter_of_the_places() -> None:
    """One receiver has half of the places; a quarter once an attempt takes a second, and its tasks are put off."""
    clock = Clock()
    found = Receivers(lambda: 16, clock)
    for number in range(8):
        assert found.permit_for(task(number)) == Permit()
        found.begin(task(number))
    assert found.permit_for(task(8)) == Permit(hold=receivers._HELD)
    assert found.permit_for(task(9, QUICK)) == Permit()
    clock.now += 2
    assert [found.permit_for(task(number)).put_off for number in (10, 11, 12)] == [0.5, 1, 1.5]
    assert found.permit_for(task(13, QUICK)) == Permit()
    for number in range(5):
        found.end(task(number))
    assert found.permit_for(task(14)) == Permit()
    found.begin(task(14))
    clock.now += 14
    assert found.permit_for(task(15)).put_off == 4
    assert max(found.permit_for(task(16)).put_off for _ in range(100)) == 60
    for number in (5, 6, 7, 14):
        found.end(task(number))
    found.end(task(99))
    assert found.permit_for(task(17)) == Permit()


def test_mails_have_one_receiver_and_scripts_none() -> None:
    """All mails go to one server; scripts connect to nobody."""
    found = Receivers(lambda: 2)
    for kind, place in ((MAIL, Permit(hold=receivers._HELD)), (RUN_SCRIPT, Permit())):
        found.begin(task(1, kind=kind))
        assert found.permit_for(task(2, kind=kind)) == place


def test_a_slow_step_has_a_quarter_of_the_places() -> None:
    """Steps share places by their names as receivers do, so runs of one that hang leave room for another."""
    clock = Clock()
    found = Receivers(lambda: 16, clock)
    steps = [task(number, kind=RUN_STEP)._replace(input=encode({"step": "slow"})) for number in range(10)]
    quick = task(20, kind=RUN_STEP)._replace(input=encode({"step": "quick"}))
    for each in steps[:8]:
        assert found.permit_for(each) == Permit()
        found.begin(each)
    assert (found.permit_for(steps[8]), found.permit_for(quick)) == (Permit(hold=receivers._HELD), Permit())
    clock.now += 2
    assert found.permit_for(steps[9]).put_off > 0
    assert found.permit_for(quick) == Permit()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store in memory."""
    opened = await open_memory()
    yield opened
    await opened.close()


async def test_others_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a receiver answers nothing, a webhook to another one behind forty of its own is sent; each is sent once."""
    monkeypatch.setattr(receivers, "_SLOW", 0.0)
    monkeypatch.setattr(receivers, "_LONGEST", 0.2)
    sent, may_answer = list[str](), asyncio.Event()

    async def send(one: Task) -> str:
        sent.append(one.key)
        if b"slow" in one.input:
            await may_answer.wait()
        return "answered"

    webhooks = [(f"s{number:02}", WEBHOOK_NOTIFY, {"url": SLOW}) for number in range(40)]
    await add(store, *webhooks, ("q", WEBHOOK_NOTIFY, {"url": QUICK}))
    async with running(store, {WEBHOOK_NOTIFY: send}):
        assert (await ended(store, 41)).state is TaskState.DONE
        assert len(sent) <= 9
        may_answer.set()
        await until(lambda: len(sent) == 41)
        states = [(await ended(store, number + 1)).state for number in range(41)]
    assert states == [TaskState.DONE] * 41
    assert len(set(sent)) == len(sent) == 41
