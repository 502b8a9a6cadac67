from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

import psutil
import pytest

from tests.scripts.engines import opened, outcome_of, value_of, workers
from tests.waiting import is_gone, until
from wfx.sandbox.errors import Unavailable
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.runs import LIMITS, REPEATABLE, Outcome, RunRequest, RunResult

ENDLESS = {
    "a loop": "for (;;);",
    "a regular expression": "/^(a+)+$/.test('a'.repeat(60) + 'b')",
    "a comparison": "[2, 1].sort(() => { for (;;); })",
    "a promise": "async function main() { for (;;) await null }",
    "its result": "payload = { get a() { for (;;); } }",
    "its error": "throw { get message() { for (;;); } }",
    "big numbers": "let a = 7n ** 300000n; for (;;) a * a",
    "memory": "for (;;) new Uint8Array(1e6).fill(1)",
}


async def begun(engine: ScriptEngine, source: str) -> tuple[asyncio.Task[RunResult], psutil.Process]:
    """A run that has begun, and its process; the source was compiled before."""
    assert (await engine.check(source)).outcome is Outcome.DONE
    run = asyncio.create_task(outcome_of(engine, source))
    await until(lambda: engine.running)
    (worker,) = workers()
    return run, worker


async def is_served(engine: ScriptEngine, before: psutil.Process) -> bool:
    """Whether another process serves, and the one from before is gone."""
    await value_of(engine, "payload = 1")
    (worker,) = workers()
    return worker.pid != before.pid and is_gone(before)


@pytest.mark.parametrize("kind", ENDLESS)
async def test_a_worker_that_is_killed_in_a_run(kind: str) -> None:
    """A run whose worker is killed has failed, whatever it was at; it says so, and the next run gets another worker."""
    async with opened(operations=10**12) as engine:
        run, worker = await begun(engine, ENDLESS[kind])
        worker.kill()
        result = await run
        assert (result.outcome, result.value) == (Outcome.FAILED, b"")
        assert result.fault is not None
        assert result.fault.message == "the worker process ended by the signal 9: run the script again"
        assert await is_served(engine, worker)


@pytest.mark.parametrize("number", [signal.SIGSYS, signal.SIGABRT, signal.SIGTERM])
async def test_a_worker_that_another_signal_ends(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    """However the system ends a worker, its run has failed, and none of the script's limits is blamed."""
    async with opened(operations=10**12) as engine:
        run, worker = await begun(engine, ENDLESS["a loop"])
        with caplog.at_level(logging.CRITICAL, "wfx"):
            worker.send_signal(number)
            result = await run
        assert result.outcome is Outcome.FAILED
        assert result.outcome not in LIMITS | REPEATABLE
        assert result.fault is not None
        assert str(int(number)) in result.fault.message
        assert await is_served(engine, worker)


async def test_a_worker_that_is_killed_while_it_compiles() -> None:
    """A source whose compilation is cut off is no wrong source: the check cannot tell, and a run has failed."""
    async with opened() as engine:
        await value_of(engine, "payload = 1")
        (worker,) = workers()
        worker.suspend()
        check = asyncio.create_task(engine.check("payload = 2"))
        await until(lambda: not engine._pool._workers._idle)  # type: ignore[union-attr]
        worker.kill()
        with pytest.raises(Unavailable):
            await check
        assert await is_served(engine, worker)
        (worker,) = workers()
        worker.suspend()
        run = asyncio.create_task(outcome_of(engine, "payload = 3"))
        await until(lambda: engine.running)
        worker.kill()
        assert (await run).outcome is Outcome.FAILED
        assert await is_served(engine, worker)


async def test_a_worker_that_is_killed_at_rest() -> None:
    """A worker that is gone when a run begins is replaced, and nobody notices."""
    async with opened() as engine:
        await value_of(engine, "payload = 1")
        (worker,) = workers()
        worker.kill()
        await until(lambda: is_gone(worker))
        assert engine._pool is not None
        (resting,) = engine._pool._workers._idle
        await until(lambda: not resting.running)  # the service has seen its end
        assert await is_served(engine, worker)


async def test_a_run_that_is_ended() -> None:
    """Who looks on sees the runs with their names, and can end each; a number that is none ends nothing."""
    async with opened(processes=2, operations=10**12) as engine:
        runs = {name: asyncio.create_task(engine.run(RunRequest("for (;;);", b"{}"), name)) for name in ("a", "b")}
        await until(lambda: len(engine.running) == 2)
        (number,) = (each.number for each in engine.running if each.name == "a")
        assert engine.end(number)
        result = await runs["a"]
        assert result.outcome is Outcome.ENDED
        assert result.fault is not None
        assert result.fault.message == "the script was ended from outside"
        assert not engine.end(number)
        assert [each.name for each in engine.running] == ["b"]
        assert not runs["b"].done()
        runs["b"].cancel()


async def test_a_caller_that_leaves() -> None:
    """A run whose caller leaves is ended with its process, and its place is free."""
    async with opened(admitted=1, operations=10**12) as engine:
        run, worker = await begun(engine, "for (;;);")
        run.cancel()
        assert (await asyncio.gather(run, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        assert await is_served(engine, worker)


async def test_an_engine_that_closes() -> None:
    """Runs that go on or wait when the engine closes have failed, and no process is left."""
    async with opened(operations=10**12) as engine:
        run, worker = await begun(engine, "for (;;);")
        runs = [run, *(asyncio.create_task(outcome_of(engine, "for (;;);")) for _ in range(3))]
        await until(lambda: len(engine._runs) == 4)
        await engine.close()
        results: list[RunResult] = await asyncio.gather(*runs)
        assert {each.outcome for each in results} == {Outcome.FAILED}
        assert is_gone(worker)
        assert engine.process_ids == []


def described(worker: psutil.Process) -> tuple[dict[str, str], list[str]]:
    """What the system says about a process, and the numbers of its open files."""
    place = Path(f"/proc/{worker.pid}")
    lines = (place / "status").read_text().splitlines()
    return dict(line.split(":\t") for line in lines), sorted(each.name for each in (place / "fd").iterdir())


async def test_how_a_worker_is_confined() -> None:
    """A worker of scripts makes listed system calls only, gains no rights, and has no environment and no files."""
    async with opened() as engine:
        await value_of(engine, "payload = 1")
        (worker,) = workers()
        said, held = described(worker)
        assert (said["Seccomp"], said["NoNewPrivs"], said["Threads"]) == ("2", "1", "1")
        assert held == ["0", "1", "2", "3"]
        assert worker.environ() == {}


async def test_no_process_before_the_first_script() -> None:
    """An engine that has started and was asked nothing has no worker."""
    async with opened() as engine:
        assert engine.process_ids == []
        assert workers() == []
