"""``make bench``: requests per second, and the ratio to a bare Starlette app that answers the same bytes.

Both run on the same engine, in turn, on this machine, which sends the load too (wrk). Compare ratios between machines
and commits, not rates; ``make bench-compare`` compares two commits in one run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from statistics import median

from bench import fixture, machine, plugins, streams
from bench.fixture import Case
from bench.machine import say
from bench.servers import ENGINES, Server, bare, client, read, server_of
from wfx.demo.local import LocalService

CONNECTIONS = (16, 64)
_HEAD = (f"{'engine':<10} {'operation':<20} {'conn':>4} {'req/s':>7} {'ratio':>6} {' from .. to':>13} "
         f"{'p50 ms':>7} {'p99 ms':>7} {'cpu µs':>7} {'ratio':>6} {'failed':>6}")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Ratios are ours to the bare app's; above 1 is better."""

    engine: str
    operation: str
    connections: int
    rate: float
    ratio: float
    lowest: float
    """The lowest and highest ratio of the rounds; the ratio is their median."""
    highest: float
    p50: float
    p99: float
    cpu: float
    """Microseconds of the server's processor time per request."""
    cpu_ratio: float
    failed: int

    def __str__(self) -> str:
        """Return it as a line of the table."""
        return (f"{self.engine:<10} {self.operation:<20} {self.connections:>4} {self.rate:>7.0f} {self.ratio:>6.2f} "
                f"{self.lowest:>5.2f} .. {self.highest:.2f} {self.p50:>7.1f} {self.p99:>7.1f} {self.cpu:>7.0f} "
                f"{self.cpu_ratio:>6.2f} {self.failed:>6}")


def main() -> None:
    """Measure and print; also write the rows as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in the store")
    parser.add_argument("--updates", type=int, default=1000, help="updates that event streams are measured with")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine")
    parser.add_argument("--operation", action="append", help="only operations whose name contains this")
    parser.add_argument("--json", type=Path, default=Path(".bench/latest.json"), help="where the rows go")
    given = parser.parse_args()
    say(f"Measuring {machine.go_first()}.")
    watch = machine.Watch()
    say(_HEAD)
    rows, figures = [], []
    for engine in given.engine or ENGINES:
        for row in _measure(engine, given):
            say(str(row))
            rows.append(asdict(row))
        if not given.operation:
            for figure in chain(streams.measure(engine, updates=given.updates), plugins.measure(engine)):
                say(f"{engine:<10} {figure.name:<60} {figure.value:>10.2f} {figure.unit}")
                figures.append({"engine": engine, **asdict(figure)})
    say(f"Meanwhile {watch.sentence()}.")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(watch.record() | {"operations": rows, "figures": figures}, indent=1))
    say(f"The same is in {given.json}.")


def _measure(engine: str, given: argparse.Namespace) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        with client(service.north) as operator, client(service.south) as device:
            cases = fixture.prepare(operator, device, given.jobs)
        wanted = [c for c in cases if not given.operation or any(word in c.name for word in given.operation)]
        with bare(engine, cases, Path(folder)) as yardstick:
            for case in wanted:
                for connections in CONNECTIONS:
                    yield _pair(engine, case, connections, server_of(service, case.side), yardstick, given)


def _pair(
    engine: str, case: Case, connections: int, server: Server, yardstick: Server, given: argparse.Namespace
) -> Row:
    pairs = [
        (read(server, case.load, connections, given.seconds), read(yardstick, case.load, connections, given.seconds))
        for _ in range(given.rounds)
    ]
    ratios = [ours.rate / bare.rate for ours, bare in pairs]
    return Row(
        engine,
        case.name,
        connections,
        rate=median(ours.rate for ours, _ in pairs),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        p50=median(ours.p50 for ours, _ in pairs),
        p99=median(ours.p99 for ours, _ in pairs),
        cpu=median(ours.cpu for ours, _ in pairs),
        cpu_ratio=median(bare.cpu / ours.cpu for ours, bare in pairs),
        failed=sum(ours.failed for ours, _ in pairs),
    )


if __name__ == "__main__":
    main()
