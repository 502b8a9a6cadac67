"""How the service behaves from one connection to many, and from no load to its limit.

Throughput is measured with wrk, which asks as quickly as it is answered; latency with wfx-loadtest, which asks at a
constant rate, so that waiting counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import fixture
from bench.fixture import Case
from bench.servers import client, read, server_of
from wfx.demo.local import LocalService
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.run import run
from wfx_loadtest.settings import Settings

CONNECTIONS = (1, 4, 16, 64, 256)
RATES = (100, 250, 500, 1000, 1500, 2000, 3000, 4000)
"""Requests a second of wfx-loadtest's default mix: three reads to a write."""
OPERATIONS = ("GET job", "GET jobs (10)", "PUT status", "POST job")
NEW_CONNECTIONS = "GET jobs (10), a connection each"
"""What devices do that ask every 45 s: no server keeps a connection for so long.

The p99 is wrk's: now and then it leaves a connection alone for a second, where another client sees 19 ms at most."""
_KEPT = 0.95
"""The share of a rate that has to be answered for the next higher one to be tried."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """One point: as many requests as this many connections can take."""

    engine: str
    operation: str
    connections: int
    rate: float
    p50: float
    p99: float
    cpu: float
    """Microseconds of the server's processor time per request."""
    failed: int

    def __str__(self) -> str:
        """Word it for a terminal."""
        return (
            f"{self.engine:<10} {self.operation:<32} {self.connections:>4} connections {self.rate:>7.0f}/s "
            f"p50 {self.p50:>6.1f} ms  p99 {self.p99:>6.1f} ms  {self.cpu:>4.0f} µs  failed {self.failed}"
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """One point: latencies, in milliseconds, at a constant rate of the default mix."""

    engine: str
    rate: int
    answered: float
    """Successful answers a second."""
    p50: float
    p99: float
    generator_late: bool
    """Whether the latencies say more about the generator than about the service."""

    def __str__(self) -> str:
        """Word it for a terminal."""
        late = "  the generator was late" if self.generator_late else ""
        return (
            f"{self.engine:<10} {'default mix':<32} {self.rate:>4} requests/s  {self.answered:>7.0f}/s "
            f"p50 {self.p50:>6.1f} ms  p99 {self.p99:>6.1f} ms{late}"
        )


def measure(engine: str, jobs: int, seconds: float) -> Iterator[Throughput | Latency]:
    """Measure all points of an engine, each for so many seconds."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        with client(service.north) as operator, client(service.south) as device:
            cases = {case.name: case for case in fixture.prepare(operator, device, jobs)}
        yield from _latencies(engine, service, seconds)
        for operation in OPERATIONS:
            for connections in CONNECTIONS:
                yield _throughput(engine, service, cases[operation], connections, seconds)
        yield _throughput(engine, service, _unkept(cases["GET jobs (10)"]), 64, seconds)


def _throughput(engine: str, service: LocalService, case: Case, connections: int, seconds: float) -> Throughput:
    found = read(server_of(service, case.side), case.load, connections, seconds)
    return Throughput(engine, case.name, connections, found.rate, found.p50, found.p99, found.cpu, found.failed)


def _unkept(case: Case) -> Case:
    load = replace(case.load, headers=(*case.load.headers, ("Connection", "close")))
    return replace(case, name=NEW_CONNECTIONS, load=load)


def _latencies(engine: str, service: LocalService, seconds: float) -> Iterator[Latency]:
    for rate in RATES:
        reads = rate * 3 // 4
        metrics = run(
            Settings(
                "127.0.0.1",
                service.ports["south"],
                "127.0.0.1",
                service.ports["north"],
                round(seconds * SECOND),
                reads,
                rate - reads,
            )
        ).metrics
        p50, p99 = (metrics.latencies.percentile(percent) / MILLISECOND for percent in (50, 99))
        yield Latency(engine, rate, metrics.throughput, p50, p99, metrics.lateness.behind)
        if metrics.throughput < _KEPT * rate:
            return
