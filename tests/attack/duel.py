"""Runs one attack on one service, observes well-behaved clients meanwhile, and collects the findings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil
from rawhttp import request

from tests.attack.attacker import kind_of
from tests.attack.frame import BASE, Kind, Target
from tests.attack.witness import Witness
from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
LATE = 300.0
"""Seconds that an attack may take to end after its time is over: only guards against hanging."""
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
REPORT = b'{"clientId":"witness","state":"S","progress":50}'
_SAMPLING = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attack led to."""

    name: str
    engine: str
    tally: dict[str, int]
    """What the attack says of itself."""
    witnesses: dict[str, Witness]
    memory: tuple[int, int, int]
    """Bytes that the service's processes occupied before, at most, and after."""
    findings: list[str]
    """What is not as it must be; empty if all is well. Never says anything of time."""


class Memory:
    """The memory of a process and its children, sampled in a thread until it is told to stop."""

    def __init__(self, pid: int) -> None:
        """Begin."""
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.before = self.peak = self.after = self._measure()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[int, int, int]:
        """Before, at most, after."""
        self._over.set()
        self._thread.join()
        return self.before, self.peak, self.after

    def _measure(self) -> int:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                total += process.memory_info().rss  # measured: printed, not judged
        except psutil.NoSuchProcess:
            pass
        return total

    def _sample(self) -> None:
        while not self._over.wait(_SAMPLING):  # measured: a pause
            self.after = self._measure()
            self.peak = max(self.peak, self.after)


def fight(name: str, engine: str, folder: Path, seconds: float) -> Outcome:
    """Run a service in an empty directory and attack it for a while."""
    kind = kind_of(name)
    service = LocalService(folder, f"--http-engine={engine}", *kind.prepare(folder))
    with service:
        assert service.process is not None
        pid = service.process.pid
        jobs = _stock(service)
        memory = Memory(pid)
        report = request("PUT", f"{BASE}/jobs/{jobs['PUT']}/status", REPORT, *kind.headers)
        witnesses = {
            "GET": Witness(service.ports["north"], request("GET", f"{BASE}/jobs/{jobs['GET']}", b"", *kind.headers)),
            "PUT": Witness(service.ports["south"], report),
        }
        ports = service.ports
        target = Target(engine, ports["north"], ports["south"], pid, str(folder), time.monotonic() + seconds)
        with witnesses["GET"], witnesses["PUT"]:
            tally, findings = _attack(name, target)
        figures = memory.stop()
    findings += _findings(kind, service, witnesses)
    findings += [f"{process.name()} is left of the service" for process in _session_of(pid)]
    return Outcome(name, engine, tally, witnesses, figures, [*findings, *kind.check(folder)])


def _stock(service: LocalService) -> dict[str, str]:
    """Store the workflow and a job for each witness; gives the jobs' ids."""
    with httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=60) as north:
        north.post("/workflows", json=WORKFLOW).raise_for_status()
        return {
            name: north.post("/jobs", json={"clientId": "witness", "workflow": "w"}).raise_for_status().json()["id"]
            for name in ("GET", "PUT")
        }


def _attack(name: str, target: Target) -> tuple[dict[str, int], list[str]]:
    """Let the attack run in a process of its own; gives its tally, and what it found."""
    attacker = subprocess.Popen(
        [sys.executable, "-m", "tests.attack.attacker", name, json.dumps(asdict(target))], cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": ".:tests:plugins"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, complaint = attacker.communicate(timeout=target.remaining() + LATE)
    except subprocess.TimeoutExpired:
        os.killpg(attacker.pid, signal.SIGKILL)
        attacker.communicate()
        return {}, ["the attack does not end"]
    if attacker.returncode:
        return {}, [f"the attack failed: {complaint.strip()}"]
    tally = json.loads(said)
    return tally, [] if sum(tally.values()) else ["the attack did nothing"]


def _findings(kind: Kind, service: LocalService, witnesses: dict[str, Witness]) -> Iterator[str]:
    for name, witness in witnesses.items():
        if bad := {status: n for status, n in witness.statuses.items() if status not in kind.answers[name]}:
            yield f"{name} was answered {bad}"
        if not witness.seconds:
            yield f"{name} was never answered"
    assert service.process is not None
    if (status := service.process.poll()) != kind.exit_status:
        yield f"the service ended with {status}"
    for line, count in Counter(filter(_is_grave, service.lines)).items():
        if not any(part in line for part in kind.log):
            yield f"{count} times in the log: {line.strip()}"


def _is_grave(line: str) -> bool:
    return "Traceback" in line or '"level": "error"' in line


def _session_of(session: int) -> Iterator[psutil.Process]:
    """The processes that the service started and that still run."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
