"""Scripts: runs a second on all processors, what a run costs, and the memory of a worker.

``python -m bench.scripts --runs 100000`` prints the figures alone, of so many runs.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import psutil
import uvloop

from bench.streams import Figure
from wfx.scripts.engine import ScriptEngine, usual_processes
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import Outcome, RunRequest

_RUNS = 8000
_AT_ONCE = 8
_WARM = 200
"""Runs of each worker that are not measured."""
_CALCULATIONS = """
function main(p) {
  let s = 0;
  for (let i = 0; i < 1000; i += 1) s += p.amount * i % 7 + Math.sqrt(i);
  return { next: "DONE", payload: { s } };
}
"""
_SCRIPTS = {"of 1,000 calculations": _CALCULATIONS, "that does nothing": "function main(p) { return { payload: p } }"}
_PAYLOAD = b'{"amount":1500,"category":"food"}'


class _Used(NamedTuple):
    """Seconds, of the clock and of the processor."""

    clock: float
    service: float
    workers: float


def measure(runs: int = _RUNS, workers: int | None = None) -> Iterator[Figure]:
    """Measure each script on one engine, with as many workers and the event loop that a service has."""
    yield from uvloop.run(_figures(runs, usual_processes() if workers is None else workers))


async def _figures(runs: int, workers: int) -> list[Figure]:
    engine = ScriptEngine(ScriptLimits(), workers)
    await engine.start()
    try:
        return [figure for name, source in _SCRIPTS.items() async for figure in _of(engine, name, source, runs)]
    finally:
        await engine.close()


async def _of(engine: ScriptEngine, name: str, source: str, runs: int) -> AsyncIterator[Figure]:
    await _failures(engine, source, _WARM)
    before = _used(engine)
    failed = await _failures(engine, source, runs)
    used = _Used(*(now - then for now, then in zip(_used(engine), before, strict=True)))
    yield Figure(f"scripts {name}, rate of {runs:,}", runs / used.clock, "1/s")
    yield Figure(f"scripts {name}, failed", failed, "")
    yield Figure(f"scripts {name}, processor time of a worker", used.workers / runs * 1e3, "ms")
    yield Figure(f"scripts {name}, processor time of the service", used.service / runs * 1e3, "ms")
    memory = [psutil.Process(number).memory_info().rss for number in engine.process_ids]
    yield Figure(f"scripts {name}, resident memory of a worker", max(memory) / 1e6, "MB")


async def _failures(engine: ScriptEngine, source: str, runs: int) -> int:
    """Run a script so often, some of the runs at once, and count those that did not end well, or not alike."""
    waiting = iter(range(runs))
    expected = await engine.run(RunRequest(source, _PAYLOAD))

    async def some() -> int:
        failed = 0
        for _ in waiting:
            result = await engine.run(RunRequest(source, _PAYLOAD))
            failed += result.outcome is not Outcome.DONE or result.value != expected.value
        return failed

    return sum(await asyncio.gather(*(some() for _ in range(_AT_ONCE))))


def _used(engine: ScriptEngine) -> _Used:
    times = [psutil.Process(number).cpu_times() for number in engine.process_ids]
    return _Used(time.monotonic(), time.process_time(), sum(each.user + each.system for each in times))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.scripts", description=__doc__)
    parser.add_argument("--runs", type=int, default=_RUNS, help="runs of each script")
    parser.add_argument("--workers", type=int, help="worker processes; as a service has by default")
    given = parser.parse_args()
    for figure in measure(given.runs, given.workers):
        print(f"{figure.name:<66} {figure.value:>10.2f} {figure.unit}")  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
