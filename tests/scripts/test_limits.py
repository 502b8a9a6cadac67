from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.scripts.engines import opened, outcome_of, value_of, workers
from tests.waiting import until
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import LIMITS, Outcome, RunRequest

MIB = 1024 * 1024
PAGE = 64 * 1024
ENDLESS = "for (;;);"


async def most(works: Callable[[int], Awaitable[bool]], low: int, high: int) -> int:
    """The largest number with which something works: with ``low`` it does, with ``high`` it does not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await works(middle) else (low, middle)
    return low


def loop(turns: int) -> str:
    """A script of so many turns, each of two operations."""
    return f"for (let i = 0; i < {turns}; i++);"


async def test_operations() -> None:
    """100,000 operations are always as many turns of a loop; one more ends the run, and the next step allows it."""
    async with opened(operations=100_000) as engine:

        async def passes(turns: int) -> bool:
            return (await outcome_of(engine, loop(turns))).outcome is Outcome.DONE

        turns = await most(passes, 40_000, 60_000)
        assert 49_900 <= turns <= 50_000
        for _ in range(3):
            assert (await outcome_of(engine, loop(turns))).operations == 90_000
            ended = await outcome_of(engine, loop(turns + 1))
            assert (ended.outcome, ended.operations, ended.value) == (Outcome.OPERATIONS, 100_000, b"")
            assert ended.fault is not None
            assert ended.fault.message == "the script took more than 100000 operations"
    async with opened(operations=100_001) as engine:
        assert (await outcome_of(engine, loop(turns + 1))).outcome is Outcome.DONE
    async with opened(operations=90_001) as engine:
        assert (await outcome_of(engine, loop(turns))).outcome is Outcome.DONE
    async with opened(operations=90_000) as engine:
        assert (await outcome_of(engine, loop(turns))).outcome is Outcome.OPERATIONS


async def test_memory() -> None:
    """A limit of memory that is 64 KiB more or less lets a script take exactly so much more or less."""
    taken = []
    for limit in (32 * MIB - PAGE, 32 * MIB, 32 * MIB + PAGE):
        async with opened(memory=limit) as engine:

            async def passes(size: int, engine: ScriptEngine = engine) -> bool:
                return (await outcome_of(engine, f"new Uint8Array({size}).fill(1)")).outcome is Outcome.DONE

            taken.append(await most(passes, 30 * MIB, 40 * MIB))
            ended = await outcome_of(engine, f"new Uint8Array({taken[-1] + 1})")
            assert ended.outcome is Outcome.MEMORY
            assert ended.fault is not None
            assert ended.fault.message == f"the script needed more than {limit} bytes of memory"
    assert [size - taken[1] for size in taken] == [-PAGE, 0, PAGE]


@pytest.mark.parametrize("limit", [1000, 1001, ScriptLimits().output])
async def test_output(limit: int) -> None:
    """A result of as many bytes as allowed is given; one more is too much."""
    async with opened(output=limit) as engine:
        frame = len('{"next":"","payload":""}')
        for letter, size in (("a", 1), ("é", 2)):
            fits = (limit - frame) // size
            assert (await outcome_of(engine, f"payload = '{letter}'.repeat({fits})")).outcome is Outcome.DONE
            ended = await outcome_of(engine, f"payload = '{letter}'.repeat({fits + 1})")
            assert ended.outcome is Outcome.OUTPUT
            assert ended.fault is not None
            assert ended.fault.message == f"the result has more than {limit} bytes"


async def test_stack() -> None:
    """A recursion may be as deep as always, and one call deeper ends the run."""
    async with opened() as engine:
        deep = "const f = (n) => n === 0 ? 0 : 1 + f(n - 1); payload = f({})"

        async def passes(depth: int) -> bool:
            return (await outcome_of(engine, deep.format(depth))).outcome is Outcome.DONE

        depth = await most(passes, 100, 100_000)
        assert await value_of(engine, deep.format(depth)) == {"next": "", "payload": depth}
        assert (await outcome_of(engine, deep.format(depth + 1))).outcome is Outcome.STACK


async def test_time() -> None:
    """An endless script ends when its time is over; one that ends in time does not, nor does its process."""
    async with opened(seconds=0.1, operations=10**12) as engine:
        ended = await outcome_of(engine, ENDLESS)
        assert ended.outcome is Outcome.TIME
        assert ended.fault is not None
        assert ended.fault.message == "the script took longer than 0.1 s"
        (worker,) = workers()
    assert not worker.is_running()
    async with opened(seconds=600.0) as engine:
        assert (await outcome_of(engine, loop(1000))).outcome is Outcome.DONE


async def test_time_within_one_operation() -> None:
    """Where the engine is busy within built-in functions, the process is ended, and the next run gets another."""
    async with opened(seconds=0.1, operations=10**12) as engine:
        busy = "let a = 7n ** 150000n; for (let i = 0; i < 5000; i++) a * a"
        assert (await outcome_of(engine, busy)).outcome is Outcome.TIME
        assert workers() == []
        await until(lambda: not engine.running)
        assert (await engine.check("1")).outcome is Outcome.DONE


async def test_size_of_a_source() -> None:
    """A source of 64 KiB is compiled; one byte more is refused."""
    async with opened() as engine:
        assert (await engine.check("//" + "é" * 32767)).outcome is Outcome.DONE
        verdict = await engine.check("//" + "é" * 32767 + "x")
        assert verdict.outcome is Outcome.SYNTAX
        assert verdict.fault is not None
        assert verdict.fault.message == "the script has 65537 bytes, at most 65536 are allowed"


async def test_admission() -> None:
    """One script more than may run or wait is refused when its patience ends, and served once one has ended."""
    async with opened(admitted=2, patience=0.05, operations=10**12) as engine:
        two = [asyncio.create_task(engine.run(RunRequest(ENDLESS, b"{}"), "a")) for _ in range(2)]
        await until(lambda: engine._admission.locked() and engine.running)
        refused = await engine.run(RunRequest("1", b"{}"), "b")
        assert refused.outcome is Outcome.BUSY
        assert refused.fault is not None
        assert refused.fault.message == "2 scripts ran or waited for 0.05 s: try again later"
        for task in two:
            task.cancel()
        await asyncio.gather(*two, return_exceptions=True)
        assert (await engine.run(RunRequest("payload = 1", b"{}"), "b")).outcome is Outcome.DONE


NASTY = {
    "while (true) {}": {Outcome.OPERATIONS},
    "try { for (;;); } catch { for (;;); } finally { for (;;); }": {Outcome.OPERATIONS},
    "/^(a+)+$/.test('a'.repeat(50) + 'b')": {Outcome.OPERATIONS},
    "[3, 1, 2].sort(() => { for (;;); })": {Outcome.OPERATIONS},
    "async function main() { for (;;) await null }": {Outcome.OPERATIONS},
    "(async () => { for (;;) await null })(); async function main() { return {} }": {Outcome.OPERATIONS},
    "payload = { get a() { for (;;); } }": {Outcome.OPERATIONS},
    "payload = { toJSON() { for (;;); } }": {Outcome.OPERATIONS},
    "payload = new Proxy({}, { ownKeys() { for (;;); } })": {Outcome.OPERATIONS},
    "throw { get message() { for (;;); } }": {Outcome.OPERATIONS},
    "throw { toString() { for (;;); }, get stack() { for (;;); } }": {Outcome.OPERATIONS},
    "new Uint8Array(2 ** 30)": {Outcome.MEMORY},
    "const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1))": {Outcome.MEMORY},
    "Array(1e9).fill(1)": {Outcome.MEMORY},
    "for (;;) try { new Uint8Array(2 ** 30) } catch {}": {Outcome.MEMORY},
    "try { new Uint8Array(2 ** 30) } catch { payload = 1 }": {Outcome.MEMORY},
    "let s = 'a'; for (;;) s += s + s": {Outcome.MEMORY, Outcome.ERROR},
    "(function f() { f() })()": {Outcome.STACK},
    "JSON.parse('['.repeat(1e6))": {Outcome.STACK},
    "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; payload = a": {Outcome.STACK},
    "let p = {}; p = new Proxy(p, { get: (_, key, own) => own[key] }); p.a": {Outcome.STACK},
    "'a'.repeat(2 ** 29)": {Outcome.MEMORY, Outcome.ERROR},
    "throw new RangeError('Maximum call stack size exceeded')": {Outcome.STACK},
}


@pytest.mark.parametrize("source", NASTY)
async def test_nasty_scripts(source: str) -> None:
    """What never ends, takes too much or goes too deep ends at a limit, each time at the same; its worker goes on."""
    async with opened(operations=1_000_000) as engine:
        first, second = [await outcome_of(engine, source) for _ in range(2)]
        assert first.outcome in NASTY[source] <= LIMITS | {Outcome.ERROR}
        assert (second.outcome, second.fault, second.operations) == (first.outcome, first.fault, first.operations)
        assert await value_of(engine, "payload = 1") == {"next": "", "payload": 1}
        assert len(workers()) == 1


async def test_a_source_that_nests_too_deeply() -> None:
    """A source whose compilation needs too much stack is refused, and the next one is compiled."""
    async with opened() as engine:
        verdict = await engine.check("x = " + "(" * 50_000)
        assert verdict.outcome is Outcome.STACK
        assert verdict.fault is not None
        assert (await engine.check("x = 1")).outcome is Outcome.DONE


LARGE = {
    "7n ** 10000000n": {Outcome.TIME, Outcome.ERROR},  # the largest number is reached within the time, or not
    "Array.from({ length: 3e6 }, (_, i) => -i).sort((a, b) => a - b)": {Outcome.TIME, Outcome.OPERATIONS},
    "new Float64Array(3e6).map(() => Math.random()).sort()": {Outcome.TIME, Outcome.OPERATIONS},
    "for (let a = []; ; ) for (let i = 0; i < 100; i++) a.push(new Uint8Array(1e7).fill(1))": {Outcome.MEMORY},
    "for (;;) try { Array(1e9).fill(1) } catch {}": {Outcome.TIME, Outcome.MEMORY, Outcome.OPERATIONS},
}


@pytest.mark.parametrize("source", LARGE)
async def test_large_scripts(source: str) -> None:
    """What is large rather than endless ends at a limit as well: of time, where none of the others is reached."""
    async with opened(operations=10_000_000, seconds=600.0 if LARGE[source] == {Outcome.MEMORY} else 0.2) as engine:
        assert (await outcome_of(engine, source)).outcome in LARGE[source]
    async with opened() as engine:
        assert await value_of(engine, "payload = 1") == {"next": "", "payload": 1}
