"""Many writers at once, and a service that is killed under them: what was acknowledged is there (robustness row 5)."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from callers import Caller, Record, complaints, whole_log

from wfx.demo.local import LocalService

ROUNDS = int(os.environ.get("WFX_TEST_KILLS", "10"))
"""How often the service is killed; set the variable for a longer run."""
WRITERS = 8
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}


def create_job(service: LocalService, client_id: str) -> str:
    """Create a job of the one-state workflow and return its id."""
    caller = Caller(service.ports["north"])
    status, job = caller.ask("POST", "/jobs", {"clientId": client_id, "workflow": "w"})
    caller.close()
    assert status == 201, job
    return str(job["id"])


def create_workflow(service: LocalService) -> None:
    """Store the one-state workflow."""
    caller = Caller(service.ports["north"])
    assert caller.ask("POST", "/workflows", WORKFLOW)[0] == 201
    caller.close()


def updates(entries: list[dict[str, Any]], job_id: str) -> list[int]:
    """Return the numbers of a job's updates in the order of the log."""
    concerning = [entry["event"] for entry in entries if entry["event"]["job"]["id"] == job_id]
    return [int(event["job"]["status"]["message"]) for event in concerning if event["action"] == "UPDATE_STATUS"]


def assert_gapless(entries: list[dict[str, Any]]) -> None:
    """The log's numbers are 1, 2, 3 … without gaps."""
    assert [int(entry["id"].rpartition("-")[2]) for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("clients", [16, 64])
def test_concurrent_clients(tmp_path: Path, clients: int) -> None:
    """Of 16 or 64 clients that create and update jobs at once none fails; each change is on the log once, in order."""

    def work(number: int) -> list[Record]:
        north, south = Caller(service.ports["north"]), Caller(service.ports["south"])
        records = []
        for _ in range(2):
            status, job = north.ask("POST", "/jobs", {"clientId": f"c{number}", "workflow": "w", "tags": ["t"]})
            assert status == 201, job
            record = Record(job["id"])
            for update in range(1, 6):
                status, answer = south.ask("PUT", f"/jobs/{job['id']}/status", {"state": "S", "message": str(update)})
                assert status == 200, answer
                record.acknowledged.append(update)
            records.append(record)
        north.close()
        south.close()
        return records

    with LocalService(tmp_path) as service:
        create_workflow(service)
        with ThreadPoolExecutor(clients) as pool:
            records = [record for made in pool.map(work, range(clients)) for record in made]
        entries = whole_log(service)
    assert len(entries) == len(records) * 6
    assert_gapless(entries)
    assert [found for record in records for found in complaints(record, updates(entries, record.job_id))] == []


def test_racing_updates_of_one_job(tmp_path: Path) -> None:
    """Forty updates of one job at once all succeed and leave forty history entries, none twice."""

    def update(number: int) -> int:
        caller = Caller(service.ports["south"])
        status, _ = caller.ask("PUT", f"/jobs/{job_id}/status", {"state": "S", "message": str(number)})
        caller.close()
        return status

    with LocalService(tmp_path) as service:
        create_workflow(service)
        job_id = create_job(service, "c")
        with ThreadPoolExecutor(40) as pool:
            assert list(pool.map(update, range(40))) == [200] * 40
        caller = Caller(service.ports["south"])
        _, job = caller.ask("GET", f"/jobs/{job_id}?history=true")
        caller.close()
        entries = whole_log(service)
    former = [entry["status"].get("message") for entry in job["history"]]
    in_log = updates(entries, job_id)
    assert sorted(in_log) == list(range(40))
    assert [*reversed(former[:-1]), job["status"]["message"]] == [str(number) for number in in_log]


def write_until_killed(port: int, record: Record, stop: threading.Event) -> None:
    """Send numbered updates one after the other until the server is gone."""
    caller = Caller(port)
    while not stop.is_set():
        number = record.next_number()
        try:
            status, _ = caller.ask("PUT", f"/jobs/{record.job_id}/status", {"state": "S", "message": str(number)})
        except (OSError, http.client.HTTPException):
            record.unknown.add(number)
            break
        assert status == 200
        record.acknowledged.append(number)
    caller.close()


@pytest.mark.timeout(30 + 12 * ROUNDS)
def test_killed_while_writing(tmp_path: Path) -> None:
    """However often the service is killed while it writes, each acknowledged change is there, whole, once, in order."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    service = LocalService(tmp_path)
    with service:
        create_workflow(service)
        records = [Record(create_job(service, f"c{number}")) for number in range(WRITERS)]
    for _ in range(ROUNDS):
        stop = threading.Event()
        with service, ThreadPoolExecutor(WRITERS) as pool:
            waiting = [pool.submit(write_until_killed, service.ports["south"], record, stop) for record in records]
            time.sleep(chance.uniform(0.05, 0.5))  # the moment of the kill is what varies
            service.stop(signal.SIGKILL)
            stop.set()
            for writer in waiting:
                writer.result()
    with service:
        entries = whole_log(service)
    assert_gapless(entries)
    found = [(record.job_id, c) for record in records for c in complaints(record, updates(entries, record.job_id))]
    assert found == [], f"seed {seed}"
    assert sum(len(record.acknowledged) for record in records) > ROUNDS, "something was written in between"


@pytest.mark.parametrize(("shown", "expected"), [
    ([1, 2, 3], []),
    ([1, 2, 3, 4], []),
    ([1, 3], ["acknowledged and lost: [2]"]),
    ([1, 2, 3, 9], ["never sent: [9]"]),
    ([1, 2, 2, 3], ["something happened twice"]),
    ([2, 1, 3], ["not in the order in which it was sent"]),
])  # fmt: skip
def test_the_checker_can_fail(shown: list[int], expected: list[str]) -> None:
    """Planted losses, inventions, duplicates and swaps are found; an update of unknown fate may be there or not."""
    assert complaints(Record("j", [1, 2, 3], {4}), shown) == expected
