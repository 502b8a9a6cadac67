"""Scripts that rules run on the states of jobs, in a running service on each kind of storage."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.reactions.ruled_service import STORAGES, rules_with, storage_options
from tests.waiting import eventually
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
FLOW = {
    "name": "validated",
    "states": [{"name": name} for name in ("NEW", "VALIDATE", "DONE", "BAD", "TAKEN")],
    "transitions": [
        {"from": "NEW", "to": "VALIDATE", "eligible": "CLIENT"},
        {"from": "VALIDATE", "to": "DONE", "eligible": "WFX"},
        {"from": "VALIDATE", "to": "BAD", "eligible": "CLIENT"},
        {"from": "VALIDATE", "to": "TAKEN", "eligible": "CLIENT"},
    ],
}
RULES = """version: v1
scenarios:
  - id: validate
    event_types: [job.update_status]
    children:
      - condition:
          id: entered
          expression: 'payload.to == "VALIDATE" AND payload.from != payload.to'
          children:
            - action: {id: decide, type: run_script, params: {script: decide}}
"""
GOOD = """
function main(payload) {
  const report = nflow_data.job.status.context
  return {next: "DONE", payload: {score: report.errors ? 0 : 7},
          actions: [{type: "add_tags", params: {tags: ["validated"]}}]}
}
"""


class Place:
    """A service whose rules run a script on the state VALIDATE."""

    def __init__(self, service: LocalService) -> None:
        """Look at what comes from now on."""
        self.service = service
        self._before = [task["id"] for task in self._all_tasks()]

    def call(self, method: str, path: str, side: str = "north", **options: Any) -> httpx.Response:
        """Send a request."""
        url = f"{getattr(self.service, side)}{'' if path.startswith('/v1/') else BASE}{path}"
        return httpx.request(method, url, timeout=60, trust_env=False, **options).raise_for_status()

    def put(self, source: str) -> None:
        """Put the script that decides."""
        self.call("PUT", "/v1/scripts/decide", content=source)

    def enter(self, context: dict[str, Any]) -> str:
        """Create a job, whose device enters the state; returns its id."""
        job_id: str = self.call("POST", "/jobs", json={"clientId": "d", "workflow": "validated"}).json()["id"]
        self.report(job_id, "VALIDATE", context)
        return job_id

    def report(self, job_id: str, state: str, context: dict[str, Any]) -> None:
        """Report a state as the device."""
        self.call("PUT", f"/jobs/{job_id}/status", "south", json={"state": state, "context": context})

    def job(self, job_id: str) -> Any:
        """Return a job."""
        return self.call("GET", f"/jobs/{job_id}", params={"history": "true"}).json()

    def tasks(self) -> list[dict[str, Any]]:
        """Return the runs that were promised."""
        return [task for task in self._all_tasks() if task["id"] not in self._before]

    def _all_tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/v1/tasks", params={"kind": "run_script"}).json()["content"]
        return found

    def _over(self, count: int) -> bool:
        found = self.tasks()
        return len(found) == count and all(each["state"] in ("DONE", "FAILED") for each in found)

    def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many runs have ended; returns the tasks."""
        eventually(lambda: self._over(count), "they have ended")
        return self.tasks()


@contextmanager
def served(storage: str, folder: Path, fixture: Callable[[str], Any]) -> Iterator[LocalService]:
    """Start a service that runs scripts on a kind of storage."""
    options = [*storage_options(storage, folder, fixture), f"--rules={rules_with(folder, RULES)}", "--enable-scripts"]
    with LocalService(folder, *options) as service:
        yield service


@pytest.fixture(scope="module", params=STORAGES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service for all tests that do not end it, on each kind of storage."""
    with served(request.param, tmp_path_factory.mktemp("scripts"), request.getfixturevalue) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=FLOW, trust_env=False).raise_for_status()
        yield service


@pytest.fixture
def place(running: LocalService) -> Iterator[Place]:
    """A running service, which has no script left afterwards."""
    found = Place(running)
    yield found
    httpx.delete(f"{running.north}/v1/scripts/decide", trust_env=False)


def test_a_script_decides(place: Place) -> None:
    """A job that enters a state is moved by the script as WFX, once, with its payload as context and its actions."""
    place.put(GOOD)
    job_id = place.enter({"errors": 0})
    (task,) = place.ended()
    assert (task["state"], task["message"]) == ("DONE", "moved the job to DONE; 1 of 1 actions")
    job = place.job(job_id)
    assert (job["status"]["state"], job["status"]["context"], job["tags"]) == ("DONE", {"score": 7}, ["validated"])
    asked = {"since": "0", "jobIds": job_id, "limit": "1000"}
    events = place.call("GET", "/jobs/events", params=asked, headers={"Accept": "application/json"}).json()
    moves = [each["event"] for each in events["content"] if each["event"]["action"] == "UPDATE_STATUS"]
    assert [each["job"]["status"]["state"] for each in moves] == ["VALIDATE", "DONE"]


@pytest.mark.parametrize(("source", "said"), [
    ("function main() { return {next: 'BAD'} }", "WFX may not move the job from VALIDATE to BAD"),
    ("function main() { return {next: 'NOWHERE'} }", "WFX may not move the job from VALIDATE to NOWHERE"),
    ("function main() { return {next: 'DONE', payload: 7} }", "a payload that is no object"),
    ("function main() { return {next: 'DONE', actions: [{type: 'fly'}]} }", "action 1 that the script returned"),
    ("function main() { return {next: 'DONE', actions: [{type: 'add_tags', params: {tag: ['a']}}]} }",
     "action 1 that the script returned cannot be add_tags at 'tag': unknown parameter"),
    ("while (true) {}", "operations: "),
    ("throw new Error('no')", "error: Error: no (line 1"),
])  # fmt: skip
def test_what_a_script_may_not(place: Place, source: str, said: str) -> None:
    """A script that wants what it may not, or ends badly, changes nothing, and its task says why."""
    place.put(source)
    job_id = place.enter({})
    (task,) = place.ended()
    assert task["state"] == "FAILED"
    assert said in task["message"]
    job = place.job(job_id)
    assert (job["status"]["state"], job["tags"], len(job["history"])) == ("VALIDATE", [], 1)


def test_the_device_moves_first(place: Place) -> None:
    """A job that its device has moved on before the script ran stays as it is, and the run is recorded as stale."""
    place.put("for (let i = 0; i < 4000000; i++) {}\npayload = {}; next = 'DONE'")
    job_id = place.enter({})
    place.report(job_id, "TAKEN", {})
    (task,) = place.ended()
    assert task["state"] == "FAILED"
    assert task["message"].startswith("stale: the job is in TAKEN")
    assert place.job(job_id)["status"]["state"] == "TAKEN"


def test_no_script(place: Place) -> None:
    """A rule that names a script that is not there leaves a failed task; replayed once it is there, it is done."""
    job_id = place.enter({"errors": 1})
    (task,) = place.ended()
    assert (task["state"], task["message"]) == ("FAILED", "there is no script 'decide'")
    place.put(GOOD)
    place.call("POST", f"/v1/tasks/{task['id']}/replay")
    eventually(lambda: place.job(job_id)["status"]["state"] == "DONE", "it is moved")
    assert place.job(job_id)["status"]["context"] == {"score": 0}


@pytest.mark.parametrize("storage", STORAGES)
def test_kill_while_scripts_run(request: pytest.FixtureRequest, tmp_path: Path, storage: str) -> None:
    """Runs that were promised are done once each though the service is killed in between, as often as that is."""
    with served(storage, tmp_path, request.getfixturevalue) as service:
        place = Place(service)
        place.call("POST", "/workflows", json=FLOW)
        place.put("for (let i = 0; i < 400000; i++) {}\npayload = {}; next = 'DONE'")
        jobs = [place.enter({}) for _ in range(12)]
        for _ in range(3):
            service.stop(signal.SIGKILL)
            service.start()
        eventually(lambda: all(place.job(job_id)["status"]["state"] == "DONE" for job_id in jobs), "all are moved")
        assert [len(place.job(job_id)["history"]) for job_id in jobs] == [2] * 12
