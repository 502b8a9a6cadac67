"""The clock of the machine is set back and forward while the service works."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from wfx.demo.local import LocalService

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("libfaketimeMT.so.1 (Debian: faketime)"))
BASE = "/api/wfx/v1"
HOUR = timedelta(hours=1)
PING = 0.2
"""Seconds between keep-alives."""
SLACK = timedelta(minutes=10)
WORKFLOW = {
    "name": "w",
    "states": [{"name": "A"}, {"name": "B"}],
    "transitions": [{"from": "A", "to": "A", "eligible": "CLIENT"}, {"from": "A", "to": "B", "eligible": "CLIENT"}],
}


@dataclass
class Clocked:
    """A service and the file that says how far its clock is off."""

    service: LocalService
    file: Path

    def set(self, offset: str) -> None:
        """Set the clock of the running service, as ``-1h`` for instance."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(offset)
        fresh.replace(self.file)


@pytest.fixture(params=["uvicorn", "hypercorn"])
def clocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clocked]:
    """A service of each engine whose clock can be moved, with short keep-alives on streams."""
    assert LIBRARY.exists()
    file = tmp_path / "offset"
    file.write_text("+0")
    environment = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else each wait with a timeout returns at once, and threads spin
    }  # fmt: skip
    options = (f"--http-engine={request.param}", "--sse-ping-interval=200ms")
    with LocalService(tmp_path, *options, environment=environment) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW, trust_env=False).raise_for_status()
        yield Clocked(service, file)


def moment(text: str) -> datetime:
    """Read a time of the API."""
    return datetime.fromisoformat(text)


def client_of(address: str) -> httpx.Client:
    """A client of one side."""
    return httpx.Client(base_url=address + BASE, trust_env=False, timeout=20)


def create(north: httpx.Client, client_id: str = "c") -> str:
    """Create a job; gives its id."""
    answer = north.post("/jobs", json={"clientId": client_id, "workflow": "w"})
    return str(answer.raise_for_status().json()["id"])


def log_of(north: httpx.Client) -> list[dict[str, Any]]:
    """Read all events."""
    page = north.get("/jobs/events", params={"since": "0"}, headers={"Accept": "application/json"}).json()
    return [entry["event"] for entry in page["content"]]


def report(south: httpx.Client, job: str, number: int) -> datetime:
    """Report a status, and give the job's time of change."""
    south.put(f"/jobs/{job}/status", json={"state": "A", "message": f"{number}"}).raise_for_status()
    return moment(south.get(f"/jobs/{job}").json()["mtime"])


def test_the_clock_jumps(clocked: Clocked) -> None:
    """Row 53: while the clock goes an hour back and two forward, times of a job rise and the log stays in order."""
    with client_of(clocked.service.north) as north, client_of(clocked.service.south) as south:
        job = create(north)
        times = []
        for number, offset in enumerate(("+0", "-1h", "-1h", "+1h", "+1h", "+0")):
            clocked.set(offset)
            times += [report(south, job, 2 * number), report(south, job, 2 * number + 1)]
        history = south.get(f"/jobs/{job}", params={"history": "true"}).json()["history"]
        log = log_of(north)
    assert times == sorted(set(times)), "each change is later than the one before"
    assert times[-1] - times[0] > HOUR - SLACK, "the hour forward was seen"
    former = [moment(entry["mtime"]) for entry in history]
    assert former == sorted(former, reverse=True)
    assert [event["job"]["status"]["message"] for event in log[1:]] == [str(number) for number in range(12)]


def test_a_new_job_after_the_clock_went_back(clocked: Clocked) -> None:
    """Row 53: jobs are listed in the order of their creation, also those that the clock makes older than others."""
    with client_of(clocked.service.north) as north:
        created = []
        for offset in ("+0", "-1h", "+1h", "-1h"):
            clocked.set(offset)
            created.append(create(north))
        jobs = north.get("/jobs").json()["content"]
        assert [job["id"] for job in jobs] == created
        assert [event["job"]["id"] for event in log_of(north)] == created
    stimes = [moment(job["stime"]) for job in jobs]
    assert abs(stimes[1] - stimes[2]) > HOUR, "the clock did jump"


def test_a_stream_goes_on(clocked: Clocked) -> None:
    """Row 53: a stream that is open when the clock jumps keeps its pace, and brings what happens then."""
    url, started = f"{clocked.service.south}{BASE}/jobs/events?since=now", time.monotonic()
    with client_of(clocked.service.north) as north, httpx.stream("GET", url, timeout=60, trust_env=False) as got:
        lines, seen = got.iter_lines(), 0
        for offset in ("-1h", "+1h", "+0"):
            clocked.set(offset)
            for _ in range(3):
                next(line for line in lines if line.startswith(":"))
                seen += 1
            passed = time.monotonic() - started  # measured: a busy machine makes it longer, and the bound higher
            assert seen <= passed / PING + 2, "keep-alives do not come all at once"
            job = create(north, offset)
            data = next(line for line in lines if line.startswith("data:"))
            assert json.loads(data.removeprefix("data:"))["job"]["id"] == job
