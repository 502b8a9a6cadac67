"""Services on PostgreSQL: requests a second, processor time of both programs, events on another server, two servers.

PostgreSQL, the service and the load share this machine, and PostgreSQL waits for the disk as it does by default.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from bench import fixture, streams, wrk
from bench.fixture import Case
from bench.machine import cpu_seconds
from bench.ratios import CONNECTIONS, Effort
from bench.reference import Reference
from bench.servers import Server, client, read, server_of
from bench.streams import Figure
from bench.wrk import Load
from local_cluster import database
from local_cluster.processes import Processes
from wfx.demo.local import LocalService

HEAD = (
    f"{'on PostgreSQL':<20} {'conn':>4} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'cpu µs':>7} {'db µs':>7} "
    f"{'failed':>6} {'reference':>9} {'ratio':>6}"
)
_DURABLE = ("fsync=on", "full_page_writes=on", "shared_buffers=2GB")
_MANY = 64
"""Connections of the comparison of two servers with one."""
_COMPARED = ("GET job", "GET jobs (10)", "PUT status", "POST job")
"""Operations of that comparison."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation; latencies in milliseconds, processor time in microseconds a request."""

    engine: str
    operation: str
    connections: int
    rate: float
    p50: float
    p99: float
    cpu: float
    """Of the server."""
    database_cpu: float
    """Of PostgreSQL."""
    failed: int
    reference: float | None = None
    """Requests a second of the reference's server, measured in turn with ours."""

    def __str__(self) -> str:
        """Return it as a line of the table."""
        line = (
            f"{self.operation:<20} {self.connections:>4} {self.rate:>7.0f} {self.p50:>7.1f} {self.p99:>7.1f} "
            f"{self.cpu:>7.0f} {self.database_cpu:>7.0f} {self.failed:>6}"
        )
        return line if self.reference is None else f"{line} {self.reference:>9.0f} {self.rate / self.reference:>6.2f}"


@dataclass(frozen=True, slots=True)
class Place:
    """A database, and how a service is started on it."""

    processes: Processes
    database: str
    """Its connection string."""

    @property
    def folder(self) -> Path:
        """Where services may leave files; it is removed in the end."""
        return self.processes.folder

    @property
    def options(self) -> tuple[str, ...]:
        """Options that name the database."""
        return "--storage=postgres", f"--storage-opt={self.database}"

    @contextmanager
    def served(self, engine: str) -> Iterator[LocalService]:
        """Run a service on the database."""
        with LocalService(self.folder, f"--http-engine={engine}", *self.options) as service:
            yield service

    @property
    def cpu(self) -> float:
        """Seconds of processor time that PostgreSQL has used."""
        return cpu_seconds(self.processes.id_of(database.NAME))


@contextmanager
def place() -> Iterator[Place]:
    """Start PostgreSQL with an empty database."""
    with Processes() as processes:
        yield Place(processes, database.start(processes, _DURABLE))


def measure(engine: str, effort: Effort, only: Sequence[str] = (), reference: Path | None = None) -> Iterator[Row]:
    """Measure each operation, or those whose name contains one of these words, in turn with the reference's server."""
    with place() as ours, ours.served(engine) as service, ExitStack() as stack:
        cases = _cases(service, effort)
        others: dict[str, tuple[int, Load]] = {}
        if reference is not None:
            another = database.add(ours.processes, "reference")
            theirs = stack.enter_context(Reference(reference, ours.folder, another).running())
            others = {case.name: (theirs.ports[case.side], case.load) for case in _cases(theirs, effort)}
        for case in cases:
            if only and not any(word in case.name for word in only):
                continue
            for connections in CONNECTIONS:
                rows, rates = [], []
                for _ in range(effort.rounds):
                    rows.append(_read(engine, case, connections, server_of(service, case.side), ours, effort.seconds))
                    if case.name in others:
                        port, load = others[case.name]
                        rates.append(wrk.run(port, load, connections, effort.seconds).rate)
                yield _middle(rows, rates)


def _cases(service: LocalService | Reference, effort: Effort) -> list[Case]:
    with client(service.north) as operator, client(service.south) as device:
        return fixture.prepare(operator, device, effort.jobs)


def _read(engine: str, case: Case, connections: int, server: Server, where: Place, seconds: float) -> Row:
    before = where.cpu
    found = read(server, case.load, connections, seconds)
    database_cpu = (where.cpu - before) * 1e6 / max(found.rate * seconds, 1)
    return Row(engine, case.name, connections, found.rate, found.p50, found.p99, found.cpu, database_cpu, found.failed)


def _middle(rows: list[Row], rates: Sequence[float]) -> Row:
    """Return the row of the median rate, with the median of the other server's."""
    row = sorted(rows, key=lambda each: each.rate)[len(rows) // 2]
    return replace(row, failed=sum(each.failed for each in rows), reference=median(rates) if rates else None)


def figures(engine: str, effort: Effort) -> Iterator[Figure]:
    """Measure two servers on one database."""
    with place() as where, where.served(engine) as one, where.served(engine) as other:
        cases = _cases(one, effort)
        update = next(case for case in cases if case.name == "PUT status")
        for figure in asyncio.run(streams.delays(one, update.load.paths[0], readers_of=other)):
            yield Figure(f"on another server: {figure.name}", figure.value, figure.unit)
        for case in (each for each in cases if each.name in _COMPARED):
            yield from _scaling(case, (one, other), where, effort)


def _scaling(case: Case, services: Sequence[LocalService], where: Place, effort: Effort) -> Iterator[Figure]:
    """Compare the rates, and the processor time a request of servers and database."""
    ratios, costs = [], []
    for _ in range(effort.rounds):
        alone = _rates(case, services[:1], _MANY, effort.seconds)
        before = where.cpu + sum(cpu_seconds(server_of(each, case.side).pid) for each in services)
        both = _rates(case, services, _MANY // 2, effort.seconds)
        after = where.cpu + sum(cpu_seconds(server_of(each, case.side).pid) for each in services)
        ratios.append(sum(both) / sum(alone))
        costs.append((after - before) * 1e6 / (sum(both) * effort.seconds))
    yield Figure(f"{case.name}: two servers to one, {_MANY} connections in all", median(ratios), "ratio")
    yield Figure(f"{case.name}: processor of two servers and PostgreSQL", median(costs), "µs")


def _rates(case: Case, services: Sequence[LocalService], connections: int, seconds: float) -> list[float]:
    with ThreadPoolExecutor(len(services)) as pool:
        ports = [service.ports[case.side] for service in services]
        return [run.rate for run in pool.map(lambda port: wrk.run(port, case.load, connections, seconds), ports)]
