"""A day on which all scripts that are uploaded mean harm."""

from __future__ import annotations

import json
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.scripts.hostile_programs import programs
from tests.waiting import eventually, is_gone
from wfx.api.plain_errors import PREFIX
from wfx.demo.local import LocalService
from wfx.scripts.engine import usual_processes
from wfx.scripts.limits import MIB

PROGRAMS = 200
MEMORY = 16
OPTIONS = (
    "--enable-scripts", "--block-on-high-severity=false", "--vm-pool-max-operations=100000",
    "--vm-pool-max-execution-seconds=1", f"--vm-pool-max-memory-mb={MEMORY}",
)  # fmt: skip
LOOK = b"""
    const own = (each) => Object.getOwnPropertyNames(each).concat(Object.getOwnPropertySymbols(each).map(String));
    const all = [globalThis, Object, Array, Object.prototype, Array.prototype, Promise.prototype, JSON, Math, Error, String.prototype];
    payload = [all.map(own), typeof main, [...[1]], `${Math.random}`, JSON.stringify({}), Object.isFrozen(globalThis),
               Math.random(), new Uint8Array(1 << 14).every((each) => each === 0), payload];
"""  # noqa: E501
REPEATABLE = {"error", "result", "operations", "stack", "output"}


def hostile(count: int) -> list[bytes]:
    """So many different programs of the grammar, the same ones each time."""
    drawn: dict[bytes, None] = {}

    @settings(max_examples=count * 5, derandomize=True, database=None, phases=[Phase.generate], deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(programs())
    def draw(source: bytes) -> None:
        drawn[source] = None

    draw()
    return list(drawn)[:count]


class Witness(threading.Thread):
    """Asks for jobs and scripts all the time, and counts the processes that run scripts."""

    def __init__(self, service: LocalService) -> None:
        """Belong to this service."""
        super().__init__()
        assert service.process is not None
        self._north, self._service = service.north, psutil.Process(service.process.pid)
        self._over = threading.Event()
        self.statuses: list[int] = []
        self.processes: set[psutil.Process] = set()
        self.most = 0
        self.bounds: set[tuple[int, int]] = set()

    def run(self) -> None:
        """Do so until the end."""
        with httpx.Client(base_url=self._north, timeout=120) as client:
            while not self._over.is_set():
                for path in ("/api/wfx/v1/jobs", f"{PREFIX}/scripts"):
                    self.statuses.append(client.get(path).status_code)
                self._look()

    def _look(self) -> None:
        running = {each for each in self._service.children() if _is_worker(each)}
        self.processes |= running
        self.most = max(self.most, len(running))

    def end(self) -> None:
        """Look at the bounds of those that are there, and ask no more."""
        self._over.set()
        self.join()
        self.bounds = {each.rlimit(resource.RLIMIT_DATA) for each in self._service.children() if _is_worker(each)}


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "wfx.scripts.worker" in process.cmdline()
    except psutil.Error:  # it has ended
        return False


def attack(north: str, number: int, source: bytes) -> Iterator[str]:
    """Put a program, run it twice, look at what is left of it; yield what is wrong with the answers."""
    with httpx.Client(base_url=north + PREFIX, timeout=120) as client:
        answer = client.put(f"/scripts/s{number}", content=source)
        if answer.status_code != 201:
            if answer.status_code != 400 or not answer.json()["error"]:
                yield f"put: {answer.status_code} {answer.text}"
            return
        first, second = (client.post(f"/scripts/s{number}/run", json={"payload": {"amount": 3}}) for _ in range(2))
        for each in (first, second):
            if each.status_code not in (200, 408, 422) or not isinstance(each.json(), dict):
                yield f"run: {each.status_code} {each.text[:500]}"
        ends = {each.json().get("outcome", "done") for each in (first, second)}
        if ends <= {"done", *REPEATABLE} and first.content != second.content:
            yield f"another answer: {first.text[:500]} {second.text[:500]}"


def looked(north: str) -> bytes:
    """What a script sees of the world; a machine that is slow may end it more than once."""
    with httpx.Client(base_url=north + PREFIX, timeout=120) as client:
        for _ in range(50):
            answer = client.post("/scripts/look/run", json={"payload": {"amount": 3}})
            if answer.status_code == 408 and answer.json()["outcome"] == "time":
                continue
            assert answer.status_code == 200, answer.text
            return answer.content
    raise AssertionError("no run ends in time")


@pytest.mark.timeout(1200)  # seconds; on a slow machine each program takes several
def test_a_hostile_day(tmp_path: Path) -> None:
    """Each of 200 hostile programs is answered for what it is, others are answered meanwhile, and nothing is left."""
    sources = hostile(PROGRAMS)
    assert len(sources) == PROGRAMS
    with LocalService(tmp_path, *OPTIONS) as service, ThreadPoolExecutor(8) as attackers:
        assert httpx.put(f"{service.north}{PREFIX}/scripts/look", content=LOOK).status_code == 201
        before = looked(service.north)
        witness = Witness(service)
        witness.start()

        def attacked(number: int) -> list[str]:
            wrong = list(attack(service.north, number, sources[number]))
            if looked(service.north) != before:
                wrong.append("something is left")
            return wrong

        try:
            wrong = {
                sources[number][:2000]: each for number, each in enumerate(attackers.map(attacked, range(PROGRAMS)))
            }
        finally:
            witness.end()
        assert {source: each for source, each in wrong.items() if each} == {}
        assert set(witness.statuses) == {200}
        assert len(witness.statuses) > 20
        assert 1 <= witness.most <= usual_processes()
        assert {most for _, most in witness.bounds} == {(192 + MEMORY) * MIB}
        stored = httpx.get(f"{service.north}{PREFIX}/scripts", params={"limit": 1000}).json()["content"]
        assert len(stored) > PROGRAMS // 3
    eventually(lambda: all(map(is_gone, witness.processes)), "a process is left")
    records = [json.loads(line) for line in service.lines if line.startswith("{")]
    assert [each for each in records if each["level"] in ("error", "fatal")] == []
