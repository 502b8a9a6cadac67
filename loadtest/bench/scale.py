"""``make bench-scale``: what a store of 1,000,000 jobs costs, beside one of 1,000, and beside the aims.

Builds both stores in a temporary folder (about 1.2 kB a job) and removes them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench import devices, filling, fixture, fleet, machine, postgresql, queries, stalls
from bench.filling import Sample
from bench.machine import say
from bench.queries import Duration
from bench.ratios import Effort
from bench.servers import Reading, read, server_of
from bench.wrk import Load
from wfx.demo.local import LocalService

SMALL = 1000
_CONNECTIONS = 16
_STALL_SECONDS = 5
_DELETED = 200
_LOOKED_UP = 50_000
"""Jobs from one measurement to the next, so that each begins with others."""
_CHANGED = 100_000
"""History entries of the job that is deleted on its own."""
_PRUNED = 0.2
"""Share of the events that are pruned."""
_REPORT = json.dumps({"state": "INSTALLING", "clientId": "dev", "progress": 57, "message": "Downloading artifact"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: a figure, and the most it should be."""

    name: str
    value: float
    unit: str
    most: float | None = None

    def __str__(self) -> str:
        """Return it as a line of the table."""
        aim = "" if self.most is None else f"at most {self.most:g}"
        verdict = "" if self.most is None else "ok" if self.value <= self.most else "MISSED"
        return f"{self.name:<62} {self.value:>10.2f} {self.unit:<3} {aim:<12} {verdict}".rstrip()


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with a database, and some of its jobs."""

    folder: Path
    jobs: int
    sample: Sample

    @contextmanager
    def served(self, *options: str) -> Iterator[LocalService]:
        """Run a service on it."""
        with LocalService(self.folder, *options) as service:
            yield service


def main() -> None:
    """Build the stores, measure and print; also write the findings as JSON."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs in the large store")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement with wrk")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each pair; the median counts")
    parser.add_argument("--storage", choices=("sqlite", "postgres"), default="sqlite", help="where the large store is")
    parser.add_argument("--json", type=Path, default=Path(".bench/scale.json"), help="where the findings go")
    given = parser.parse_args()
    say(f"Measuring {machine.go_first()}.")
    watch = machine.Watch()
    effort = Effort(given.seconds, given.rounds, given.jobs)
    figures = documents(measure(effort) if given.storage == "sqlite" else measure_on_postgresql(effort))
    say(f"Meanwhile {watch.sentence()}.")
    machine.keep(given.json, watch.record() | {"jobs": given.jobs} | figures)


def documents(found: Iterable[Finding | Duration]) -> dict[str, list[dict[str, Any]]]:
    """Print what is found as it comes, and return it as it goes into a file."""
    findings: list[dict[str, Any]] = []
    durations: list[dict[str, Any]] = []
    for one in found:
        if isinstance(one, Duration) and not durations:
            say(queries.HEAD)
        say(str(one))
        (durations if isinstance(one, Duration) else findings).append(asdict(one))
    return {"findings": findings, "queries": durations}


def measure(effort: Effort) -> Iterator[Finding | Duration]:
    """Build a large store and a small one, and measure both."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_built(Path(folder), jobs) for jobs in (SMALL, effort.jobs))
        yield from _findings(small, large, effort)


def measure_on_postgresql(effort: Effort) -> Iterator[Finding | Duration]:
    """Build a large store, import it into PostgreSQL, and measure lists and requests there."""
    with postgresql.place() as where:
        large = _built(where.folder, effort.jobs)
        begun = time.monotonic()
        command = [sys.executable, "-m", "wfx", "import", *where.options, str(large.folder / "wfx.db")]
        subprocess.run(command, cwd=where.folder, check=True)
        yield Finding(f"import of {effort.jobs:,} jobs", time.monotonic() - begun, "s")
        with where.served("uvicorn") as service:
            yield from _fleet(service, effort)
            yield from queries.measure(service.ports["north"], queries.ON_POSTGRESQL)
            yield from _devices(service)
            yield _bulk(service, large.sample.open)
            for name, load in (("GET job", _reading), ("PUT status", _updating)):
                server = server_of(service, "south")
                readings = [
                    read(server, load(large, turn), _CONNECTIONS, effort.seconds) for turn in range(effort.rounds)
                ]
                for figure, unit in (("rate", "/s"), ("p50", "ms"), ("p99", "ms")):
                    yield Finding(f"{name}: {figure}", median(getattr(each, figure) for each in readings), unit)


def _built(folder: Path, jobs: int) -> Store:
    begun = time.monotonic()
    place = folder / str(jobs)
    place.mkdir()
    sample = asyncio.run(filling.fill(place / "wfx.db", jobs, _CHANGED if jobs > SMALL else 0))
    os.sync()  # or else what was written so far would reach the disk while others are measured
    size = (place / "wfx.db").stat().st_size / 2**20
    say(f"Made a store of {jobs:,} jobs, {size:,.0f} MiB, in {time.monotonic() - begun:.0f} s.")
    return Store(place, jobs, sample)


def _findings(small: Store, large: Store, effort: Effort) -> Iterator[Finding | Duration]:
    yield from _starting(large)
    with small.served() as few, large.served() as many:
        yield from _requests((small, few), (large, many), effort)
        yield from _fleet(many, effort)
        yield from queries.measure(many.ports["north"])
        yield from _devices(many)
        updated = large.sample.open[_DELETED:]
        yield Finding("slowest of steady updates", stalls.slowest(many, updated, _STALL_SECONDS), "ms")
        yield _bulk(many, updated)
        delete = stalls.deleting(large.sample.open[:_DELETED])
        yield Finding(
            "slowest of steady updates, while jobs are deleted",
            stalls.slowest(many, updated, _STALL_SECONDS, delete),
            "ms",
            50,
        )
        yield Finding(
            f"slowest of steady updates, while a job changed {_CHANGED:,} times is deleted",
            stalls.slowest(many, updated, _STALL_SECONDS, stalls.deleting([large.sample.old])),
            "ms",
            50,
        )
    with large.served() as many:
        yield Finding(
            "slowest of steady updates, while what it left behind is swept",
            stalls.slowest(many, updated, _STALL_SECONDS),
            "ms",
            50,
        )
    with large.served(f"--events-keep={round(large.jobs * (1 - _PRUNED))}") as many:
        yield Finding(
            "slowest of steady updates, while the log is pruned",
            stalls.slowest(many, updated, _STALL_SECONDS),
            "ms",
            50,
        )


def _devices(service: LocalService) -> Iterator[Finding]:
    for name, milliseconds in devices.measure(service.ports["north"]):
        yield Finding(f"devices: {name}", milliseconds, "ms", devices.AIM)


def _bulk(service: LocalService, updated: Sequence[str]) -> Finding:
    milliseconds = stalls.p99(service, updated, _STALL_SECONDS, stalls.tagging("hall-3"))
    return Finding("p99 of steady updates, while a tenth of all jobs is tagged in bulk", milliseconds, "ms", 50)


def _starting(store: Store) -> Iterator[Finding]:
    took, memory = [], []
    for _ in range(3):
        begun = time.monotonic()
        with store.served() as service:
            took.append(time.monotonic() - begun)
            assert service.process is not None
            memory.append(psutil.Process(service.process.pid).memory_info().rss / 2**20)
    yield Finding("from the start of the program until it listens", median(took), "s", 1)
    yield Finding("memory when idle", median(memory), "MiB", 150)


def _requests(
    small: tuple[Store, LocalService], large: tuple[Store, LocalService], effort: Effort
) -> Iterator[Finding]:
    kinds = (("GET job", _reading, 1.3), ("GET job not used lately", _looking_up, None), ("PUT status", _updating, 1.3))
    for name, load, most in kinds:
        rounds = [
            [
                read(server_of(service, "south"), load(store, turn), _CONNECTIONS, effort.seconds)
                for store, service in (small, large)
            ]
            for turn in range(1 + effort.rounds)
        ]
        del rounds[0]  # it brings the jobs into memory, but those that are to be looked up
        for figure, unit in (("cpu", "µs"), ("p50", "ms")):
            ratio = median(getattr(many, figure) / getattr(few, figure) for few, many in rounds)
            yield Finding(f"{name}: {figure} with {SMALL:,} jobs", _middle(rounds, 0, figure), unit)
            yield Finding(f"{name}: {figure} with {effort.jobs:,} jobs", _middle(rounds, 1, figure), unit)
            yield Finding(f"{name}: {figure}, ratio", ratio, "", most)


def _fleet(service: LocalService, effort: Effort) -> Iterator[Finding]:
    for name, milliseconds, aim in fleet.measure(service.ports["north"], effort.jobs):
        yield Finding(name, milliseconds, "ms", aim)


def _middle(rounds: list[list[Reading]], which: int, figure: str) -> float:
    middle: float = median(getattr(readings[which], figure) for readings in rounds)
    return middle


def _reading(store: Store, _turn: int) -> Load:
    return Load("GET", tuple(f"{fixture.BASE}/jobs/{job_id}" for job_id in store.sample.any))


def _looking_up(store: Store, turn: int) -> Load:
    first = turn * _LOOKED_UP % len(store.sample.many)
    ids = store.sample.many[first:] + store.sample.many[:first]
    return Load("GET", tuple(f"{fixture.BASE}/jobs/{job_id}" for job_id in ids))


def _updating(store: Store, _turn: int) -> Load:
    return Load("PUT", tuple(f"{fixture.BASE}/jobs/{job_id}/status" for job_id in store.sample.open), _REPORT)


if __name__ == "__main__":
    main()
