"""A worker process of scripts that is killed in the middle of each kind of work, in a running service."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.reactions.test_scripts_at_work import GOOD, Place
from tests.reactions.watched_scripts import ENDLESS, figures, only_run, watched_service
from tests.waiting import eventually, is_gone
from wfx.demo.local import LocalService

SAID = "the worker process ended by the signal 9: run the script again"
WORKER, COMPILER = "wfx.scripts.worker", "scripts/module.py"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service that runs scripts, with a rule that runs one on the state VALIDATE, and keeps what was run."""
    with watched_service(tmp_path_factory.mktemp("killed")) as service:
        yield service


@pytest.fixture
def place(running: LocalService) -> Place:
    """What calls that service; of its workers one is there, at rest."""
    found = Place(running)
    keep_one(running)
    found.put("payload = 1")
    found.call("POST", "/v1/scripts/decide/run", json={})
    return found


def workers(service: LocalService, what: str = WORKER) -> list[psutil.Process]:
    """The processes that run scripts, or compile their engine."""
    assert service.process is not None
    children = psutil.Process(service.process.pid).children(recursive=True)
    return [each for each in children if any(word.endswith(what) for word in command_of(each))]


def keep_one(service: LocalService) -> None:
    """Kill all workers but one, and wait until the service has taken note of it."""
    others = workers(service)[1:]
    for worker in others:
        worker.kill()
    eventually(lambda: not any(psutil.pid_exists(worker.pid) for worker in others), "one worker is left")


def command_of(process: psutil.Process) -> list[str]:
    """The command line of a process; nothing of one that is gone."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def killed_in(place: Place, method: str, path: str, **options: Any) -> httpx.Response:
    """Send a request, and kill the worker that has begun to work on it; returns the answer."""
    killed = figures(place.service)["wfx_scripts_workers_replaced_total"]
    (worker,) = workers(place.service)
    worker.suspend()
    url = f"{place.service.north}/v1/scripts/{path}"
    with ThreadPoolExecutor() as pool:
        asked: Future[httpx.Response] = pool.submit(
            lambda: httpx.request(method, url, timeout=600, trust_env=False, **options)
        )
        eventually(lambda: figures(place.service)["wfx_scripts_pool_busy"] == 1, "the worker has begun")
        worker.kill()
        answer = asked.result()
    assert is_gone(worker)
    assert figures(place.service)["wfx_scripts_workers_replaced_total"] == killed + 1
    return answer


def is_served(place: Place) -> bool:
    """Whether the next run is as good as any."""
    answer = place.call("POST", "/v1/scripts/decide/run", json={"payload": 7})
    return answer.status_code == 200


def test_a_run_that_is_tried(place: Place) -> None:
    """Whoever tries a script whose worker is killed gets 503 with the outcome failed, and may try again at once."""
    answer = killed_in(place, "POST", "decide/run", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"error": SAID, "outcome": "failed", "operations": 0}
    assert is_served(place)


@pytest.mark.parametrize("more", [{}, {"params": {"dryRun": "true"}}], ids=["put", "validate"])
@pytest.mark.parametrize("is_compiled", [False, True], ids=["compilation", "analysis"])
def test_a_source(place: Place, more: dict[str, Any], is_compiled: bool) -> None:
    """A source whose compilation or analysis is cut off is neither kept nor called wrong, and taken the next time."""
    source = f"payload = '{len(more)} {is_compiled}'"
    if is_compiled:  # then nothing but the analysis is left to do
        place.call("PUT", "/v1/scripts/other", content=source)
    answer = killed_in(place, "PUT", "new", content=source, **more)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"].startswith("the script cannot be checked now: the worker process ended by the signal")
    url = f"{place.service.north}/v1/scripts/new"
    assert httpx.get(url, trust_env=False).status_code == 404
    assert place.call("PUT", "/v1/scripts/new", content=source, **more).status_code in (200, 201)
    if not more:
        place.call("DELETE", "/v1/scripts/new")


def test_a_run_of_a_rule(place: Place) -> None:
    """A task whose worker is killed waits, and is done by its second attempt: the job is moved once."""
    place.put(ENDLESS)
    job_id = place.enter({"errors": 0})
    only_run(place.service)
    place.put("payload = {}; next = 'DONE'")
    for worker in workers(place.service):
        worker.kill()
    eventually(lambda: place.tasks()[0]["attempts"] == 1, "the first attempt is over")
    assert place.tasks()[0]["message"] in (f"failed: {SAID}", "moved the job to DONE")
    (task,) = place.ended()
    assert (task["state"], task["attempts"]) == ("DONE", 2)
    job = place.job(job_id)
    assert (job["status"]["state"], len(job["history"])) == ("DONE", 2)


def test_a_replay(place: Place) -> None:
    """A replay whose worker is killed tells nothing of the run, and the next one says that it gives the same."""
    place.put(GOOD)
    place.enter({})
    (task,) = place.ended()
    path = f"decide/runs/{task['id']}/replay"
    keep_one(place.service)
    answer = killed_in(place, "POST", path)
    assert (answer.status_code, answer.json()) == (503, {"error": SAID})
    assert place.call("POST", f"/v1/scripts/{path}").json()["equal"] is True


def test_a_worker_that_starts(place: Place) -> None:
    """A worker that is killed as soon as it is there fails the run that it was started for, and no other."""
    place.put(ENDLESS)
    before = workers(place.service)
    for worker in before:
        worker.kill()
    eventually(lambda: all(map(is_gone, before)), "no worker is left")
    with ThreadPoolExecutor() as pool:
        url = f"{place.service.north}/v1/scripts/decide/run"
        tried = pool.submit(lambda: httpx.post(url, json={}, timeout=600, trust_env=False))
        eventually(lambda: workers(place.service), "a worker starts")
        for worker in workers(place.service):
            worker.kill()
        answer = tried.result()
    assert (answer.status_code, answer.json()["outcome"]) == (503, "failed")
    place.put("payload = 1")
    assert is_served(place)


def test_the_preparation(tmp_path: Path) -> None:
    """A start whose compilation of the engine is killed ends and says so, and leaves nothing; the next one serves."""
    service = LocalService(tmp_path, "--enable-scripts")
    with ThreadPoolExecutor() as pool:
        started = pool.submit(_start, service)
        eventually(lambda: service.process is not None and workers(service, COMPILER), "it compiles")
        workers(service, COMPILER)[0].kill()
        assert "the script engine was not compiled: its process ended with -9" in started.result()
    assert service.stop() == 1
    with LocalService(tmp_path, "--enable-scripts") as again:
        assert httpx.get(f"{again.north}/v1/scripts", trust_env=False).status_code == 200


def _start(service: LocalService) -> str:
    try:
        service.start()
    except Exception as error:  # noqa: BLE001 - what it is does not matter
        return f"{error} {list(service.lines)}"
    return ""
