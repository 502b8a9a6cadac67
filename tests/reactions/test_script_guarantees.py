"""What scripts guarantee to operators, request by request: runs, limits, probes, analysis, and the states of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.reactions.ruled_service import rules_with
from tests.reactions.test_killed_workers import workers
from tests.reactions.test_scripts_at_work import BASE, FLOW, RULES, Place
from tests.reactions.watched_scripts import DEBUG, page
from tests.scripts.test_probes import OWN, ROUTES, SWALLOWED, probed
from wfx.demo.local import LocalService

CALC = b"function main(payload) { return {next: 'DONE', payload: {score: payload.amount * 2}} }"
LABELLED = {"Content-Type": "application/x-www-form-urlencoded"}
"""As curl labels what it sends."""


class Operator(Place):
    """What an operator's curl does."""

    def put(self, source: str | bytes, name: str = "calc") -> httpx.Response:  # type: ignore[override]
        """Put a script."""
        return self.asked("PUT", f"/v1/scripts/{name}", content=source, headers=LABELLED)

    def run(self, name: str = "calc", **given: Any) -> httpx.Response:
        """Try a script."""
        return self.asked("POST", f"/v1/scripts/{name}/run", json=given)

    def tried(self, source: str) -> httpx.Response:
        """Put a script, and try it."""
        assert self.put(source, "tried").status_code in (200, 201)
        return self.run("tried")

    def asked(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request, whatever comes of it."""
        return httpx.request(method, f"{self.service.north}{path}", timeout=600, trust_env=False, **options)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service with the limits that there are by default."""
    folder = tmp_path_factory.mktemp("usual")
    options = (f"--rules={rules_with(folder, RULES)}", "--enable-scripts", "--enable-static-analysis", *DEBUG)
    with LocalService(folder, *options) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=FLOW, trust_env=False).raise_for_status()
        yield service


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service with few operations for a script, that keeps scripts with severe findings."""
    options = ("--vm-pool-max-operations=100000", "--enable-static-analysis", "--block-on-high-severity=false")
    with LocalService(tmp_path_factory.mktemp("small"), "--enable-scripts", *options) as service:
        yield service


def outcome(answer: httpx.Response) -> tuple[int, str]:
    """The status, and how the run ended."""
    return answer.status_code, answer.json().get("outcome", "done")


def test_runs_and_limits(usual: LocalService) -> None:
    """A script is put and run, twice with equal bytes; too many operations, or too much memory, end it alone."""
    at = Operator(usual)
    assert at.put(CALC).status_code == 201
    first, second = (at.run(payload={"amount": 3}) for _ in range(2))
    assert (first.status_code, first.json()["payload"], first.content) == (200, {"score": 6}, second.content)
    assert outcome(at.tried("while(true){}")) == (408, "operations")
    assert outcome(at.tried("new Uint8Array(1<<30)")) == (408, "memory")
    assert outcome(at.run(payload={"amount": 3})) == (200, "done")


def test_time(tmp_path: Path) -> None:
    """With more operations than there is time for, a script ends after its second; jobs are listed meanwhile."""
    options = ("--enable-scripts", "--vm-pool-max-operations=1000000000000", "--vm-pool-max-execution-seconds=1")
    with LocalService(tmp_path, *options, *DEBUG) as service, ThreadPoolExecutor() as pool:
        at = Operator(service)
        assert at.put("while(true){}").status_code == 201
        run = pool.submit(at.run)
        while not run.done():
            assert at.asked("GET", f"{BASE}/jobs").status_code == 200
        assert outcome(run.result()) == (408, "time")
        assert run.result().elapsed.total_seconds() >= 1
        at.put(CALC, "next")
        assert outcome(at.run("next", payload={"amount": 3})) == (200, "done")


def test_operations_are_exact(small: LocalService) -> None:
    """Of 100,000 operations a loop of 40,000 turns takes less, and one of 60,000 turns more, always."""
    at = Operator(small)
    for _ in range(5):
        assert outcome(at.tried("for (let i = 0; i < 40000; i++);")) == (200, "done")
        assert outcome(at.tried("for (let i = 0; i < 60000; i++);")) == (408, "operations")


def test_probes(small: LocalService) -> None:
    """None of 36 ways to make code of text, nor of thirty others to reach something, runs or reaches anything."""
    assert (len({*ROUTES}), len({*OWN})) == (36, 30)
    at = Operator(small)
    probes = {*ROUTES, *OWN, 'eval("1")', '(async function*(){}).constructor("")', 'require("fs")'}
    came = {probe: at.tried(probed(probe)).json()["payload"] for probe in probes}
    assert {probe for probe, what in came.items() if not what["threw"]} == {SWALLOWED}
    assert {what["ran"] for what in came.values()} == {"undefined"}
    at.tried("globalThis.k = 1; Array.prototype.k = 1")
    for _ in range(3):
        assert at.tried("payload = [typeof globalThis.k, typeof [].k]").json()["payload"] == ["undefined"] * 2


def test_analysis(usual: LocalService, small: LocalService) -> None:
    """A severe finding is refused with its place, others are told, and wrong syntax is refused with its place."""
    at = Operator(usual)
    refused = at.put("\n  eval('1')", "a")
    (finding,) = refused.json()["findings"]
    assert refused.status_code == 422
    assert {"type": "eval", "severity": "high", "line": 2, "column": 3}.items() <= finding.items()
    endless = at.put("while(true){}", "b")
    assert (endless.status_code, endless.json()["findings"][0]["type"]) == (201, "endless_loop")
    assert Operator(small).put("eval('1')", "c").status_code == 201
    wrong = at.put("let a = 08n", "d")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "line 1, column 9: SyntaxError: invalid number literal")


def test_disabled(tmp_path: Path) -> None:
    """Where scripts are disabled all about them is 403, no process is there for them, and jobs go on."""
    with LocalService(tmp_path, "--enable-scripts", "--sandbox-script-disabled") as service:
        at = Operator(service)
        assert at.put(CALC).status_code == at.run().status_code == 403
        assert at.asked("GET", "/v1/scripts").status_code == 403
        at.call("POST", "/workflows", json=FLOW)
        at.call("POST", "/jobs", json={"clientId": "d", "workflow": "validated"})
        assert len(at.call("GET", "/jobs").json()["content"]) == 1
        assert workers(service) == []
        assert service.process is not None
        assert psutil.Process(service.process.pid).children(recursive=True) == []


def moves_of(at: Operator, job_id: str) -> list[dict[str, Any]]:
    """The events of reports on a job."""
    asked = {"since": "0", "jobIds": job_id, "limit": "1000"}
    events = at.call("GET", "/jobs/events", params=asked, headers={"Accept": "application/json"}).json()["content"]
    return [each["event"] for each in events if each["event"]["action"] == "UPDATE_STATUS"]


def test_a_state_is_decided(usual: LocalService) -> None:
    """A job that enters VALIDATE is moved by one report to what WFX alone may reach, with the payload as context."""
    at = Operator(usual)
    at.put("function main() { return {next: 'DONE', payload: {score: 7}} }", "decide")
    job_id = at.enter({})
    at.ended()
    job = at.job(job_id)
    assert (job["status"]["state"], job["status"]["context"]["score"]) == ("DONE", 7)
    moves = moves_of(at, job_id)
    assert [each["job"]["status"]["state"] for each in moves] == ["VALIDATE", "DONE"]


def test_a_state_that_only_the_device_may_reach(usual: LocalService) -> None:
    """A script that wants such a state changes nothing, and the page of processes has its task with the reason."""
    at = Operator(usual)
    at.put("function main() { return {next: 'BAD'} }", "decide")
    job_id = at.enter({})
    (task,) = at.ended()
    job = at.job(job_id)
    assert (task["state"], job["status"]["state"], len(moves_of(at, job_id))) == ("FAILED", "VALIDATE", 1)
    failed = page(usual)["failedScripts"][0]
    assert (failed["task"], failed["message"]) == (task["id"], "WFX may not move the job from VALIDATE to BAD")


def test_the_device_is_first(usual: LocalService) -> None:
    """A device that moves its job before the script has ended wins, and the run is recorded as stale."""
    at = Operator(usual)
    at.put("payload = {}; next = 'DONE'", "decide")
    at.run("decide")
    held = workers(usual)
    for worker in held:
        worker.suspend()
    job_id = at.enter({})
    at.report(job_id, "TAKEN", {})
    for worker in held:
        worker.resume()
    (task,) = at.ended()
    assert (task["state"], task["message"].split(":")[0]) == ("FAILED", "stale")
    assert at.job(job_id)["status"]["state"] == "TAKEN"
