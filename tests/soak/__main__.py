"""``make soak``: the service under a mixed load for a long time, and whether anything in it keeps growing.

The load comes in rounds, each with another scenario of wfx-loadtest and new connections. After each round its jobs are
deleted, so that the database keeps its size, and all clients leave. Then the server's memory, descriptors and threads
are measured: what rises from round to round was leaked.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import itertools
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from tests.soak.slope import settled, slope_of
from tests.store.sqlite.audit import assert_sound
from wfx.commandline import durations
from wfx.demo.local import LocalService

ROUNDS = 60
FEWEST = 6
"""Rounds for which there is always time."""
SCENARIOS = ("default", "fleet", "events")
BASE = "/api/wfx/v1"
MIB = 1024 * 1024
FIGURES: dict[str, tuple[Callable[[psutil.Process], float], float]] = {
    "memory [MiB]": (lambda process: process.memory_info().rss / MIB, 8),
    "descriptors": (lambda process: process.num_fds(), 3),
    "threads": (lambda process: process.num_threads(), 3),
    "processes": (lambda process: len(process.children(recursive=True)), 2),
}
"""What is measured, and by how much it may rise while it is."""
_REST = 10.0
"""Seconds in which the server lets go of those who left."""
Sample = dict[str, float]


def load(service: LocalService, scenario: str, seconds: float) -> None:
    """Send for a while. Raises CalledProcessError, or ValueError if a request failed."""
    command = [
        str(Path(sys.executable).with_name("wfx-loadtest")), "--scenario", scenario, "--duration", f"{seconds:.1f}s",
        "--client-host=127.0.0.1", f"--client-port={service.ports['south']}",
        "--mgmt-host=127.0.0.1", f"--mgmt-port={service.ports['north']}", f"--poll-interval={seconds / 10:.1f}s",
    ]  # fmt: skip
    said = subprocess.run(command, cwd=service.folder, check=True, capture_output=True, text=True).stdout
    if not re.search(r"^Success .* 100\.00%$", said, re.MULTILINE):
        raise ValueError(f"not everything succeeded in scenario {scenario}:\n{said}")


def measure(process: psutil.Process) -> Sample:
    """Take all figures."""
    return {name: take(process) for name, (take, _) in FIGURES.items()}


def verdict(samples: list[tuple[float, Sample]]) -> list[str]:
    """Print the slopes, and return what clearly rises; ``samples`` are of at least six moments in seconds."""
    rising = []
    for name, (_, tolerance) in FIGURES.items():
        slope = slope_of(settled([(moment, sample[name]) for moment, sample in samples]))
        print(f"{name:14} {slope.per_second * 3600:+12.2f} ± {slope.error * 3600:.2f} per hour")
        if slope.rises(tolerance):
            rising.append(name)
    return rising


def clean_up(service: LocalService) -> None:
    """Delete all jobs, as operators do with those that are done."""
    with httpx.Client(base_url=service.north + BASE, timeout=60, trust_env=False) as north:
        for job in north.get("/jobs", params={"limit": 0}).raise_for_status().json()["content"]:
            north.delete(f"/jobs/{job['id']}").raise_for_status()


def rest(process: psutil.Process, descriptors: float) -> None:
    """Wait until the server has let go of its clients, as far as it does."""
    deadline = time.monotonic() + _REST
    while process.num_fds() > descriptors and time.monotonic() < deadline:
        time.sleep(0.05)


def soak(service: LocalService, seconds: float) -> list[tuple[float, Sample]]:
    """Put the service under load, round by round, and return what was measured after each."""
    assert service.process is not None
    process, begun = psutil.Process(service.process.pid), time.monotonic()
    samples: list[tuple[float, Sample]] = []
    for scenario in itertools.cycle(SCENARIOS):
        if time.monotonic() - begun >= seconds and len(samples) >= FEWEST:
            return samples
        load(service, scenario, max(0.5, seconds / ROUNDS))
        clean_up(service)
        rest(process, samples[0][1]["descriptors"] if samples else process.num_fds())
        samples.append((time.monotonic() - begun, measure(process)))
        figures = "  ".join(f"{name} {figure:.1f}" for name, figure in samples[-1][1].items())
        print(f"{samples[-1][0]:6.0f} s  {scenario:8} {figures}", flush=True)
    raise AssertionError("unreachable: the scenarios come again and again")


def main(arguments: list[str]) -> int:
    """Run; the exit code is 1 if anything rises."""
    parser = argparse.ArgumentParser("make soak", description=__doc__)
    parser.add_argument("--duration", default="1h", type=durations.parse, help="how long to send (1h)")
    parser.add_argument("--engine", default="uvicorn", choices=("uvicorn", "hypercorn"))
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        with LocalService(Path(folder), f"--http-engine={given.engine}", "--events-keep=2000") as service:
            samples = soak(service, given.duration)
            assert service.stop(signal.SIGTERM) == 0, "the server ends in order"
        assert_sound(Path(folder) / "wfx.db")
    rising = verdict(samples)
    print(f"rising: {', '.join(rising)}" if rising else "nothing rises")
    return 1 if rising else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
