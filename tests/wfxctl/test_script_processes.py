"""Scripts that run, on the page of processes and in a terminal: what is told of them, and how they are ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from command_lines import Run
from wfxctl_stub import Reply, Stub

from tests.reactions.test_scripts_at_work import Place
from tests.reactions.watched_scripts import DEBUG, ENDLESS, SHOWN, TOKEN, figures, only_run, page, watched_service
from tests.waiting import eventually
from wfx.demo.local import LocalService


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service that runs scripts, has pages for analysis, and a rule that runs a script on the state VALIDATE."""
    with watched_service(tmp_path_factory.mktemp("processes")) as service:
        yield service


@pytest.fixture
def place(running: LocalService) -> Place:
    """What calls that service."""
    return Place(running)


def end(service: LocalService, number: object, **fields: str) -> httpx.Response:
    """Ask for the end of a run."""
    return httpx.delete(f"{service.north}/debug/processes/{number}", headers=fields, trust_env=False, timeout=60)


def test_a_run_that_is_tried_is_ended(place: Place) -> None:
    """Whoever tries a script that is ended meanwhile gets 409 and how it ended; before, the page tells what ran."""
    place.put(ENDLESS)
    before = figures(place.service)
    url = f"{place.service.north}/v1/scripts/decide/run"
    with ThreadPoolExecutor() as pool:
        tried = pool.submit(httpx.post, url, json={}, headers={"X-Request-Id": "story-1"}, timeout=600, trust_env=False)
        run = only_run(place.service)
        assert (run["script"], run["version"]) == ("decide", sha256(ENDLESS.encode()).hexdigest())
        assert (run["task"], run["jobId"], run["requestId"]) == (None, "", "story-1")
        assert run["began"].endswith("Z")
        assert run["seconds"] >= 0
        assert figures(place.service)["wfx_scripts_pool_busy"] == 1
        assert end(place.service, run["number"], **SHOWN).status_code == 204
        answer = tried.result()
    assert (answer.status_code, answer.json()["outcome"]) == (409, "ended")
    eventually(lambda: page(place.service)["scripts"] == [], "nothing runs")
    after = figures(place.service)
    changed = {name: after[name] - value for name, value in before.items() if after[name] != value}
    assert changed["wfx_scripts_runs_total.ended"] == 1
    assert changed["wfx_scripts_workers_replaced_total"] == 1
    assert changed["wfx_scripts_cache_hits_total"] == 1  # it was compiled when it was put
    assert changed["wfx_scripts_duration_seconds_count"] == changed["wfx_scripts_wait_seconds_count"] == 1
    assert after["wfx_scripts_pool_busy"] == 0


def test_a_task_whose_run_is_ended_has_failed(place: Place) -> None:
    """The page tells task, job and request of a run; ended, the task has failed with the reason, after one attempt."""
    place.put(ENDLESS)
    job_id = place.enter({})
    run = only_run(place.service)
    (task,) = place.tasks()
    assert (run["task"], run["jobId"], run["requestId"]) == (task["id"], job_id, task["request_id"])
    assert end(place.service, run["number"], **SHOWN).status_code == 204
    (task,) = place.ended()
    assert (task["state"], task["attempts"]) == ("FAILED", 1)
    assert task["message"] == "ended: the script was ended from outside"
    failed = page(place.service)["failedScripts"][0]
    assert (failed["task"], failed["message"], failed["rule"]) == (task["id"], task["message"], "validate")
    assert place.job(job_id)["status"]["state"] == "VALIDATE"


def test_runs_that_are_not_there(place: Place) -> None:
    """A number that no run has is 404, and what is no number is no path; without the secret nothing is ended."""
    assert end(place.service, 7, **SHOWN).status_code == 404
    for wrong in ("x", "-1", "1" * 17, "1/2", "", "\u0661", "%31"):
        assert end(place.service, wrong, **SHOWN).status_code == 405  # as for any path that there is not
    assert end(place.service, 7).status_code == 401
    url = f"{place.service.north}/debug/processes/7"
    refused = httpx.get(url, headers=SHOWN, trust_env=False)
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE")


def test_in_a_terminal(place: Place, run: Run) -> None:
    """``wfxctl script ps`` lists what runs, and ``kill`` ends it, with the secret of the pages in WFX_TOKEN."""
    at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={place.service.ports['north']}")
    refused = run("script", "ps", *at)
    assert (refused.code, "--debug-auth-token" in refused.err) == (1, True)
    env = {"WFX_TOKEN": TOKEN}
    place.put(ENDLESS)
    job_id = place.enter({})
    number = only_run(place.service)["number"]
    (shown,) = json.loads(run("script", "ps", "-o", "json", *at, env=env).out)["content"]
    assert (shown["number"], shown["jobId"]) == (number, job_id)
    assert run("script", "ps", "-o", "name", *at, env=env).out == f"{number}\n"
    for wrong in ("abc", "1" * 17, "1/2", ""):
        refused = run("script", "kill", number, wrong, *at, env=env)
        assert (refused.code, f'"{wrong}" is no number of a run: see wfxctl script ps' in refused.err) == (1, True)
    assert only_run(place.service)["number"] == number
    assert run("script", "kill", number, *at, env=env).code == 0
    place.ended()
    gone = run("script", "kill", number, *at, env=env)
    assert (gone.code, f"under the number {number}" in gone.err) == (1, True)


def test_several_in_a_terminal(place: Place, run: Run) -> None:
    """Of several runs ``wfxctl script kill`` ends those that there are, and names each other one, with code 1."""
    place.put(ENDLESS)
    place.enter({})
    at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={place.service.ports['north']}")
    outcome = run("script", "kill", "7", only_run(place.service)["number"], "8", *at, env={"WFX_TOKEN": TOKEN})
    text = "Error: no script runs in this server under the number {}: see wfxctl script ps\n"
    assert (outcome.code, outcome.err) == (1, text.format(7) + text.format(8))
    (task,) = place.ended()
    assert task["message"] == "ended: the script was ended from outside"


@pytest.mark.parametrize(("status", "asked"), [(503, 2), (401, 1), (404, 1)])
def test_ends_that_are_refused(north: Run, stub: Stub, status: int, asked: int) -> None:
    """Where a worker does not answer, the other numbers are tried; not where a secret or the pages are missing."""
    stub.usual = lambda _: Reply(status, b"" if status == 404 else b"try again\n", {"Content-Type": "text/plain"})
    outcome = north("script", "kill", "7", "8", env={"WFX_TOKEN": TOKEN})
    assert (outcome.code, len(stub.seen), outcome.err.count("Error: ")) == (1, asked, asked)


def test_runs_in_a_terminal(place: Place, run: Run) -> None:
    """``wfxctl script runs`` lists what was run, and ``replay`` tells whether it gives the same."""
    at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={place.service.ports['north']}")
    place.put("function main() { return {next: 'DONE', payload: {chance: Math.random()}} }")
    job_id = place.enter({})
    (task,) = place.ended()
    shown = json.loads(run("script", "runs", "decide", "--limit=1", "-o", "json", *at).out)["content"][0]
    assert (shown["task"], shown["run"]["outcome"]) == (task["id"], "done")
    assert "done" in run("script", "runs", "decide", "--limit=1", *at).out
    again = run("script", "replay", "decide", str(task["id"]), "--filter=.replayed.value", "--raw", *at)
    context = place.job(job_id)["status"]["context"]
    assert (again.code, json.loads(again.out)["payload"]) == (0, context)
    missing = run("script", "replay", "decide", "4711", *at)
    assert (missing.code, "there is no task 4711" in missing.err) == (1, True)
    assert run("script", "replay", "decide", *at).code == 1


def test_where_scripts_are_off(tmp_path: Path, run: Run) -> None:
    """A server without scripts shows none, ends none, and has no figures of them."""
    with LocalService(tmp_path, *DEBUG) as service:
        assert "scripts" not in page(service)
        assert end(service, 7, **SHOWN).status_code == 404
        assert figures(service) == {}
        at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={service.ports['north']}")
        outcome = run("script", "ps", *at, env={"WFX_TOKEN": TOKEN})
        assert (outcome.code, "--enable-scripts" in outcome.err) == (1, True)


def test_where_the_pages_are_off(tmp_path: Path, run: Run) -> None:
    """Where a server has no pages for analysis, both commands say which options are missing."""
    with LocalService(tmp_path) as service:
        at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={service.ports['north']}")
        for words in (("ps",), ("kill", "7")):
            outcome = run("script", *words, *at)
            assert (outcome.code, "--debug-enabled" in outcome.err) == (1, True)


def test_workers_that_do_not_answer(north: Run, stub: Stub) -> None:
    """Where a worker process did not tell what it runs, ``wfxctl script ps`` says so beside what the others run."""
    stub.usual = lambda _: Reply(body=b'{"scripts": [{"number": "7", "worker": 1}], "silentWorkers": [2, 3]}')
    outcome = north("script", "ps", "-o", "name", env={"WFX_TOKEN": TOKEN})
    assert (outcome.code, outcome.out) == (0, "7\n")
    assert outcome.err == "worker processes that did not answer, and may run others: 2, 3\n"
