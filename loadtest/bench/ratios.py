"""Operations beside the yardstick: a bare Starlette app that answers the same bytes on the same engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import fixture
from bench.fixture import Case
from bench.servers import Server, bare, client, read, server_of
from wfx.demo.local import LocalService

CONNECTIONS = (1, 16, 64)
HEAD = (
    f"{'engine':<10} {'operation':<20} {'conn':>4} {'req/s':>7} {'ratio':>6} {' from .. to':>13} "
    f"{'p50 ms':>7} {'p99 ms':>7} {'cpu µs':>7} {'ratio':>6} {'failed':>6}"
)


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
        return (
            f"{self.engine:<10} {self.operation:<20} {self.connections:>4} {self.rate:>7.0f} {self.ratio:>6.2f} "
            f"{self.lowest:>5.2f} .. {self.highest:.2f} {self.p50:>7.1f} {self.p99:>7.1f} {self.cpu:>7.0f} "
            f"{self.cpu_ratio:>6.2f} {self.failed:>6}"
        )


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    seconds: float
    """Length of one measurement."""
    rounds: int
    """Measurements of each pair; the median counts."""
    jobs: int
    """Jobs in the store."""


def measure(engine: str, effort: Effort, only: Sequence[str] = ()) -> Iterator[Row]:
    """Measure each operation, or those whose name contains one of these words."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        with client(service.north) as operator, client(service.south) as device:
            cases = fixture.prepare(operator, device, effort.jobs)
        wanted = [case for case in cases if not only or any(word in case.name for word in only)]
        with bare(engine, cases, Path(folder)) as yardstick:
            for case in wanted:
                for connections in CONNECTIONS:
                    yield _pair(engine, case, connections, server_of(service, case.side), yardstick, effort)


def _pair(engine: str, case: Case, connections: int, server: Server, yardstick: Server, effort: Effort) -> Row:
    pairs = [
        (read(server, case.load, connections, effort.seconds), read(yardstick, case.load, connections, effort.seconds))
        for _ in range(effort.rounds)
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
