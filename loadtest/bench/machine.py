"""The machine that measures: what it is, how busy others keep it, and getting in front of them."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

_NICENESS = -20
_BUSY = 0.05
"""The share of the machine that others may take before it counts as busy."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on besides the service."""

    cores: int
    processor: str
    memory_gib: int
    system: str
    python: str
    sqlite: str
    uvicorn: str
    hypercorn: str
    count_ms: float
    """Milliseconds in which Python counts to a million. Virtual machines of one name differ several times in this."""

    @property
    def sentence(self) -> str:
        """The machine in one line."""
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib} GiB, {self.system}, Python {self.python}, "
            f"SQLite {self.sqlite}, uvicorn {self.uvicorn}, hypercorn {self.hypercorn}; "
            f"Python counts to a million in {self.count_ms:.0f} ms"
        )


def describe() -> Machine:
    """Look at the machine."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        uvicorn=version("uvicorn"),
        hypercorn=version("hypercorn"),
        count_ms=median(_count() for _ in range(9)),
    )


def _count() -> float:
    begun = time.perf_counter()
    number = 0
    while number < 1_000_000:
        number += 1
    return (time.perf_counter() - begun) * 1000


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def go_first() -> str:
    """Have this process and those it starts go before others, if the system lets us; say how it went.

    Not in real time: Linux halts that for 50 ms of each second when nobody else gets to run, and every p99 shows it.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    except OSError as exc:
        return f"without priority over other programs ({exc.strerror}: run as root for it)"
    return "with priority over other programs"


def is_busy(others: float) -> bool:
    """Tell whether others took so much of the machine that figures are disturbed."""
    return others > _BUSY


class Watch:
    """Tells how much of the machine others take while something is measured."""

    def __init__(self) -> None:
        """Start."""
        self._begun = time.monotonic()
        self._busy = _busy()
        self._ours = _ours()

    @property
    def others(self) -> float:
        """The share of all cores, 0 to 1, that other programs have taken since the start."""
        whole = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        theirs = _busy() - self._busy - (_ours() - self._ours)
        return min(max(theirs / whole, 0.0), 1.0)

    def sentence(self) -> str:
        """Say whether the figures were disturbed."""
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        share = self.others
        verdict = "the machine was busy, do not trust small differences" if is_busy(share) else "the machine was quiet"
        return f"other programs took {share:.0%} of the processors, load average {load}: {verdict}"

    def record(self) -> dict[str, Any]:
        """Return the same for the file."""
        return {"machine": asdict(describe()), "others": round(self.others, 3), "load_average": os.getloadavg()}


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process, and those it started, have used."""
    process = psutil.Process(pid)
    return sum(_used(one) for one in (process, *process.children(recursive=True)))


def _used(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def _ours() -> float:
    """Return what we, whoever we started and whoever of them is gone have used."""
    gone = os.times()
    return cpu_seconds(os.getpid()) + gone.children_user + gone.children_system


def _busy() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - times.guest - times.guest_nice


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def keep(file: Path, findings: Mapping[str, Any]) -> None:
    """Write what was found as JSON, and say where it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(findings, indent=1) + "\n", encoding="utf-8")
    say(f"The same is in {file}.")
