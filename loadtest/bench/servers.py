"""Servers to measure, and what one measurement says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx

from bench import wrk
from bench.fixture import Case
from bench.machine import cpu_seconds
from bench.wrk import Load
from wfx.demo.local import LocalService

ENGINES = ("uvicorn", "hypercorn")


class Server(NamedTuple):
    """Where to send requests, and whose processor time they cost."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one measurement; latencies in milliseconds."""

    rate: float
    """Requests a second."""
    p50: float
    p99: float
    cpu: float
    """Microseconds of the server's processor time per request: steadier than the rate while others use the machine."""
    failed: int


def read(server: Server, load: Load, connections: int, seconds: float) -> Reading:
    """Send the load for some seconds over this many connections."""
    before = cpu_seconds(server.pid)
    outcome = wrk.run(server.port, load, connections, seconds)
    used = cpu_seconds(server.pid) - before
    return Reading(outcome.rate, outcome.p50, outcome.p99, used * 1e6 / max(outcome.requests, 1), outcome.failed)


def server_of(service: LocalService, side: str) -> Server:
    """Return one side of a running service."""
    assert service.process is not None
    return Server(service.ports[side], service.process.pid)


def client(url: str) -> httpx.Client:
    """Return a client for requests that are not measured."""
    return httpx.Client(base_url=url, trust_env=False, timeout=30)


@contextmanager
def bare(engine: str, cases: list[Case], folder: Path) -> Iterator[Server]:
    """Run the yardstick: a bare Starlette app on this engine that answers the cases' bytes."""
    answers = folder / "answers.json"
    answers.write_text(json.dumps({case.route: case.answer for case in cases}))
    command = [sys.executable, "-m", "bench.bare", engine, str(answers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()
