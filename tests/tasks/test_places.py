"""Places of tasks: each kind has its own, so what one kind waits for holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.tasks.working import add, ended, in_state
from tests.tuned import tuned
from tests.waiting import until
from wfx.rules.own_actions import MAIL, RUN_SCRIPT, RUN_STEP, WEBHOOK_NOTIFY
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskQuery, TaskState
from wfx.tasks import runner
from wfx.tasks.counts import TaskCounts
from wfx.tasks.opening import Work, open_tasks
from wfx.tasks.runners import TaskRunners

PLACES = 16


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store in memory."""
    opened = await open_memory()
    yield opened
    await opened.close()


class _Silent:
    """Takes connections on all addresses of loopback, and never answers."""

    def __init__(self) -> None:
        self.connected = self.most = self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._hold, "0.0.0.0", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        self.most = max(self.most, self.connected)
        while await reader.read(65536):
            pass
        self.connected -= 1
        writer.close()


def _runners(store: Store, held: asyncio.Event, held_kind: str = "") -> TaskRunners:
    async def work(task: Task) -> str:
        if task.kind == held_kind:
            await held.wait()
        return "done"

    async def at_once(_: Task) -> float:
        return 0.0

    others = {RUN_SCRIPT: Work(work), RUN_STEP: Work(work)}
    tunables = tuned(webhook_allowed_networks=("127.0.0.0/8",))
    return open_tasks(store, tunables, TaskCounts(), lambda: PLACES, at_once, others, {}, lambda: 60.0)


async def test_slow_receivers_hold_up_webhooks_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While forty receivers answer nothing, sixteen are waited for; scripts, steps and mails behind them go on."""
    monkeypatch.setattr(runner, "_END_SECONDS", 0.0)
    silent = _Silent()
    async with silent.listening():
        webhooks = [
            (f"w{number:02}", WEBHOOK_NOTIFY, {"url": f"http://127.0.0.{number + 1}:{silent.port}/", "body": {}})
            for number in range(40)
        ]
        async with _runners(store, asyncio.Event()):
            await add(store, *webhooks)
            await until(lambda: silent.connected == PLACES)
            mail = ("m", MAIL, {"to": ["a@example.com"], "subject": "s", "text": "t"})
            await add(store, mail, *((f"{kind} {n}", kind, {}) for kind in (RUN_SCRIPT, RUN_STEP) for n in range(20)))
            assert (await ended(store, 41)).state is TaskState.FAILED  # there is no server for mails
            assert {(await ended(store, 42 + number)).state for number in range(40)} == {TaskState.DONE}
        assert silent.most == PLACES
        running = await store.list_tasks(TaskQuery(kind=WEBHOOK_NOTIFY, state=TaskState.WAITING), 10**6)
        assert len(running) == 40


@pytest.mark.parametrize("held", [RUN_SCRIPT, RUN_STEP])
async def test_runs_that_take_long_hold_up_their_kind_alone(store: Store, held: str) -> None:
    """While as many scripts, or steps, run as there are places, what another kind does goes on."""
    other = {RUN_SCRIPT: RUN_STEP, RUN_STEP: RUN_SCRIPT}[held]
    may_end = asyncio.Event()
    async with _runners(store, may_end, held):
        await add(store, *((f"held {number}", held, {"step": f"s{number}"}) for number in range(30)))
        for number in range(PLACES):
            await in_state(store, number + 1, TaskState.RUNNING)
        await add(store, ("other", other, {}), ("m", MAIL, {"to": ["a@example.com"], "subject": "s", "text": "t"}))
        assert (await ended(store, 31)).state is TaskState.DONE
        assert (await ended(store, 32)).state is TaskState.FAILED
        assert len(await store.list_tasks(TaskQuery(state=TaskState.RUNNING), 10**6)) == PLACES
        may_end.set()
        assert {(await ended(store, number + 1)).state for number in range(30)} == {TaskState.DONE}


async def test_all_end_though_one_raises(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the end of one runner raises, that is told once the others have given back what they had begun."""
    monkeypatch.setattr(runner, "_END_SECONDS", 0.1)
    runners = _runners(store, asyncio.Event(), RUN_STEP)

    async def fail(*_: object) -> None:
        raise OSError("it cannot end")

    first = runners._runners[0]
    with pytest.raises(OSError, match="it cannot end"):  # noqa: PT012 - the end is what raises
        async with runners:
            await add(store, ("a", RUN_STEP, {"step": "s"}))
            await in_state(store, 1, TaskState.RUNNING)
            monkeypatch.setattr(first, "_give_back", fail)
    (task,) = await store.list_tasks(TaskQuery(kind=RUN_STEP), 10**6)
    assert task.state is TaskState.WAITING
