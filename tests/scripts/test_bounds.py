"""Whatever workers are wanted for, as many wait as may, and no more workers are started than there may be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.scripts.engines import opened, value_of, workers
from tests.waiting import until
from wfx.sandbox.errors import Limit, LimitReached, Unavailable
from wfx.sandbox.frames import Frame
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.errors import ScriptsBusy
from wfx.scripts.runs import Finding, Outcome, RunRequest, RunResult, Verdict

USES: dict[str, Callable[[ScriptEngine, int], Awaitable[Any]]] = {
    "run": lambda engine, number: engine.run(RunRequest(f"payload = {number}", b"{}"), "a"),
    "check": lambda engine, number: engine.check(f"payload = {number}"),
    "findings": lambda engine, number: engine.findings(f"eval({number})"),
}


async def _refused(engine: ScriptEngine, kind: str) -> str:
    """What a use is told that has to be refused."""
    try:
        result: RunResult = await USES[kind](engine, 9)
    except ScriptsBusy as busy:
        return str(busy)
    assert result.outcome is Outcome.BUSY
    assert result.fault is not None
    return result.fault.message


@pytest.mark.parametrize("kind", USES)
async def test_each_use_has_a_place(kind: str) -> None:
    """Runs, checks and analyses all wait in the same places: one more of any kind is refused when its patience ends."""
    async with opened(admitted=2, patience=0.05) as engine:
        await value_of(engine, "payload = 0")
        (worker,) = workers()
        worker.suspend()
        held = [asyncio.ensure_future(USES[kind](engine, number)) for number in (1, 2)]
        await until(engine._admission.locked)
        for other in USES:
            assert await _refused(engine, other) == "2 scripts ran or waited for 0.05 s: try again later"
        assert not any(each.done() for each in held)
        worker.resume()
        await asyncio.gather(*held)
        assert isinstance(await engine.check("payload = 3"), Verdict)


async def test_what_needs_no_worker_is_never_refused() -> None:
    """A source that is known, or that is no text or too long, is answered while nobody else is served."""
    async with opened(admitted=1, patience=0.05) as engine:
        assert (await engine.check("payload = 0")).outcome is Outcome.DONE
        (worker,) = workers()
        worker.suspend()
        held = asyncio.ensure_future(engine.check("payload = 1"))
        await until(engine._admission.locked)
        assert (await engine.check("payload = 0")).outcome is Outcome.DONE
        assert (await engine.check("a\0b")).outcome is Outcome.SYNTAX
        assert (await engine.check("x" * 65_537)).outcome is Outcome.SYNTAX
        worker.resume()
        await held


async def test_a_storm() -> None:
    """Of 60 checks and analyses at once all are done, never more than 3 of them wait or run, and in 2 workers."""
    async with opened(processes=2, admitted=3) as engine:
        pool = engine._pool
        assert pool is not None
        ask, asking, most = pool.ask, 0, [0, 0]

        async def counted(*given: Any, **more: Any) -> Frame:
            nonlocal asking
            asking += 1
            most[:] = max(most[0], asking), max(most[1], len(pool.process_ids))
            try:
                return await ask(*given, **more)
            finally:
                asking -= 1

        pool.ask = counted  # type: ignore[method-assign]
        storm = [USES[kind](engine, number) for number in range(30) for kind in ("check", "findings")]
        done = await asyncio.gather(*storm)
        assert {each.outcome for each in done[::2]} == {Outcome.DONE}
        assert {type(each) for found in done[1::2] for each in found} == {Finding}
        assert most == [3, 2]


async def test_an_analysis_whose_worker_is_killed() -> None:
    """An analysis whose worker is killed says that no worker could, and the next one is done by another worker."""
    async with opened() as engine:
        await value_of(engine, "payload = 1")
        (worker,) = workers()
        worker.suspend()
        analysis = asyncio.create_task(engine.findings("eval(1)"))
        await until(lambda: not engine._pool._workers._idle)  # type: ignore[union-attr]
        worker.kill()
        with pytest.raises(Unavailable, match="ended by the signal 9"):
            await analysis
        assert len(await engine.findings("eval(1)")) == 1


async def test_an_analysis_that_takes_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that runs into a limit of its worker says into which, since the source is to blame for it."""
    async with opened() as engine:
        assert engine._pool is not None

        async def reached(*_: object, **__: object) -> Frame:
            raise LimitReached(Limit.MEMORY, -6)

        monkeypatch.setattr(engine._pool, "ask", reached)
        with pytest.raises(LimitReached):
            await engine.findings("eval(1)")


async def test_a_worker_that_is_killed_while_it_starts() -> None:
    """A run, a check or an analysis whose worker is killed before it is ready has failed, and the next one is done."""
    async with opened() as engine:
        for kind, use in USES.items():
            for worker in workers():
                worker.kill()
            await until(lambda: not workers())
            started = asyncio.ensure_future(use(engine, 7))
            await until(workers)
            workers()[0].kill()
            try:
                result = await started
            except Unavailable:
                continue
            assert kind == "run"
            assert result.outcome is Outcome.FAILED
        assert await value_of(engine, "payload = 1") == {"next": "", "payload": 1}


async def test_a_place_that_is_freed_in_time() -> None:
    """A run that finds all places taken is done once one is free, as long as its patience lasts."""
    async with opened(admitted=1) as engine:
        await value_of(engine, "payload = 0")
        (worker,) = workers()
        worker.suspend()
        held = asyncio.ensure_future(engine.check("payload = 1"))
        await until(engine._admission.locked)
        waiting = asyncio.ensure_future(engine.run(RunRequest("payload = 2", b"{}")))
        await until(lambda: engine._asking == 1)
        worker.resume()
        assert (await waiting).outcome is Outcome.DONE
        await held
