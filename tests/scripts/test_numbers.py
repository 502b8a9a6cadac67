"""Each limit alone, at the number that an option gives it, and one step beside it, on clocks that the test sets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import cast

import pytest
import wasmtime
from clock import Clock

from tests.scripts.engines import opened, value_of
from tests.tuned import tuned
from wfx.compose_rules import open_scripts
from wfx.config.options import Config
from wfx.scripts import preparation
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.errors import ScriptsBusy
from wfx.scripts.guest import Guest, Stopped
from wfx.scripts.instance import Host
from wfx.scripts.limits import OPERATIONS_STEP, ScriptLimits
from wfx.scripts.runs import Outcome, RunRequest
from wfx.scripts.wasm_engine import engine as wasm_engine
from wfx.store.protocol import Store

_STEPS = 9
_INPUT = b'{"payload":{},"next":"","nflow_data":{},"seed":[1,2,3]}'
_LOOP = f"for (let i = 0; i < {_STEPS * OPERATIONS_STEP // 2}; i++);".encode()
"""So many steps of operations, after each of which the clock is looked at."""


class Ticking(Clock):
    """A clock that is one second later each time that somebody looks."""

    def __call__(self) -> float:
        """Tell the time."""
        self.now += 1
        return self.now


@pytest.fixture
async def guest() -> Guest:
    """The engine in this process, with 10 s for a script."""
    engine = wasm_engine()
    module = wasmtime.Module.deserialize(engine, await preparation.compiled_engine())
    return Guest(module, engine, ScriptLimits(seconds=_STEPS + 1, operations=10**12))


def ended(guest: Guest, seconds: float) -> tuple[Outcome, int]:
    """How the loop ends within so many seconds, and after how many looks at the clock."""
    guest._limits = ScriptLimits(seconds=seconds, operations=10**12)
    bytecode = guest.compile(_LOOP)
    guest._runner.instance.host.now = Ticking()
    try:
        guest.run(bytecode, _INPUT, 0)
    except Stopped as stopped:
        return stopped.outcome, guest.polls
    return Outcome.DONE, guest.polls


async def test_time(guest: Guest) -> None:
    """A script that ends one second before its time is done; one second less, and it ends at that very second."""
    assert ended(guest, _STEPS + 1) == (Outcome.DONE, _STEPS)
    assert ended(guest, _STEPS) == (Outcome.TIME, _STEPS)
    assert ended(guest, _STEPS - 1) == (Outcome.TIME, _STEPS - 1)
    assert ended(guest, 30) == (Outcome.DONE, _STEPS)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 30.0])
def test_the_moment(seconds: float) -> None:
    """A run goes on until the last moment before its time is over, and no longer."""
    clock = Clock()
    host = Host(now=clock, deadline=clock.now + seconds)
    for before in (seconds, 0.001):
        clock.now = host.deadline - before
        assert (host.poll(), host.tripped) == (0, None)
    clock.now = host.deadline
    assert (host.poll(), host.tripped) == (1, Outcome.TIME)


@pytest.mark.parametrize("places", [1, 2, 200])
def test_wait_for_a_place(places: int) -> None:
    """The last place is given at once; who finds none waits 5 s, not a moment less, and is refused then."""
    clock, engine = Clock(), ScriptEngine(ScriptLimits(admitted=places), 1)
    assert ScriptLimits().patience == 5.0

    async def waits() -> None:
        asyncio.get_running_loop().time = clock  # type: ignore[method-assign]
        async with AsyncExitStack() as stack:
            for _ in range(places):
                await stack.enter_async_context(engine._admitted())
            run = asyncio.ensure_future(engine.run(RunRequest("1", b"{}")))
            others = [asyncio.ensure_future(each) for each in (engine.check("2"), engine.findings("3"))]
            for moment, is_over in ((0.0, False), (4.5, False), (4.999, False), (5.0, True)):
                clock.now = 1000.0 + moment
                for _ in range(20):
                    await asyncio.sleep(0)
                assert {each.done() for each in (run, *others)} == {is_over}, moment
        assert run.result().outcome is Outcome.BUSY
        assert {type(each.exception()) for each in others} == {ScriptsBusy}

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(waits())


@pytest.mark.parametrize("kept", [1, 2, 3])
async def test_compiled_scripts(kept: int) -> None:
    """As many compiled scripts are kept as may be: used again, none is compiled again; with one more, each is."""
    async with opened(compiled=kept) as engine:
        for number in 2 * [*range(kept)]:
            await value_of(engine, f"payload = {number}")
        assert (engine.figures.misses, engine.figures.hits) == (kept, kept)
        for number in 2 * [*range(kept + 1)]:
            await value_of(engine, f"payload = {number}")
        assert engine.pool_figures.compiled == kept
        assert engine.figures.misses == kept + 1 + kept + 1


async def test_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option of the pool gives one limit its number, and the defaults are those that the engine has."""
    made: list[ScriptLimits] = []

    async def start(engine: ScriptEngine) -> None:
        made.append(engine._limits)

    monkeypatch.setattr(ScriptEngine, "start", start)
    options = (
        Config(enable_scripts=True),
        Config(
            enable_scripts=True, vm_pool_max_memory_mb=7, vm_pool_max_execution_seconds=2.5,
            vm_pool_max_operations=11, vm_pool_max_size=13, vm_pool_preload_size=17,
        ),
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        for config in options:
            await open_scripts(config, tuned(), cast(Store, None), stack)
    given = ScriptLimits(memory=7 * 1024**2, seconds=2.5, operations=11, admitted=13, compiled=17)
    assert made == [ScriptLimits(), given]
