"""``python -m bench``: requests per second, and the ratio to a bare Starlette app that answers the same bytes.

Both run on the same engine, in turn, on this machine, which sends the load too (wrk). Compare ratios between machines
and commits, not rates.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from statistics import median

import httpx

from bench import fixture, plugins, streams, wrk
from bench.fixture import Case
from wfx.demo.local import LocalService

ENGINES = ("uvicorn", "hypercorn")
CONNECTIONS = (16, 64)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    engine: str
    operation: str
    connections: int
    rate: float
    ratio: float
    p99: float
    failed: int


def main() -> None:
    """Measure and print; also writes the rows as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in the store")
    parser.add_argument("--updates", type=int, default=1000, help="updates that event streams are measured with")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine")
    parser.add_argument("--operation", action="append", help="only operations whose name contains this")
    parser.add_argument("--json", type=Path, default=Path(".bench/latest.json"), help="where the rows go")
    given = parser.parse_args()
    say(f"{'engine':<10} {'operation':<28} {'conn':>4} {'req/s':>8} {'ratio':>6} {'p99 ms':>7} {'failed':>6}")
    rows = []
    for engine in given.engine or ENGINES:
        for row in _measure(engine, given):
            say(f"{row.engine:<10} {row.operation:<28} {row.connections:>4} {row.rate:>8.0f} {row.ratio:>6.2f}"
                f" {row.p99:>7.1f} {row.failed:>6}")
            rows.append(asdict(row))
        if not given.operation:
            for figure in chain(streams.measure(engine, updates=given.updates), plugins.measure(engine)):
                say(f"{engine:<10} {figure.name:<60} {figure.value:>10.2f} {figure.unit}")
                rows.append({"engine": engine, **asdict(figure)})
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(rows, indent=1))
    say(f"rows are in {given.json}")


def _measure(engine: str, given: argparse.Namespace) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        with _client(service.north) as operator, _client(service.south) as device:
            cases = fixture.prepare(operator, device, given.jobs)
        wanted = [c for c in cases if not given.operation or any(word in c.name for word in given.operation)]
        with _bare(engine, cases, Path(folder)) as bare_port:
            for case in wanted:
                for connections in CONNECTIONS:
                    yield _pair(engine, case, connections, service.ports, bare_port, given)


def _pair(
    engine: str, case: Case, connections: int, ports: dict[str, int], bare_port: int, given: argparse.Namespace
) -> Row:
    pairs = []
    for _ in range(given.rounds):
        ours = wrk.run(ports[case.side], case.load, connections, given.seconds)
        pairs.append((ours, wrk.run(bare_port, case.load, connections, given.seconds)))
    return Row(
        engine,
        case.name,
        connections,
        rate=median(ours.rate for ours, _ in pairs),
        ratio=median(ours.rate / bare.rate for ours, bare in pairs),
        p99=median(ours.p99 for ours, _ in pairs),
        failed=sum(ours.failed for ours, _ in pairs),
    )


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=30)


@contextmanager
def _bare(engine: str, cases: list[Case], folder: Path) -> Iterator[int]:
    answers = folder / "answers.json"
    answers.write_text(json.dumps({case.route: case.answer for case in cases}))
    command = [sys.executable, "-m", "bench.bare", engine, str(answers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def say(line: str) -> None:
    """Print one line at once."""
    print(line, flush=True)  # noqa: T201  # its purpose


if __name__ == "__main__":
    main()
