"""Bulk requests that are broken off by kill -9, and finished by sending them again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from postgres_server import Postgres

from tests.store.postgres_schemas import unsound
from tests.store.sqlite.audit import assert_sound
from tests.waiting import DEADLINE, eventually
from wfx import spec_files
from wfx.api.problems import PREFIX
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
JOBS = 3000


class Place:
    """Services that share a database, the first of which is killed and the last of which goes on."""

    def __init__(self, services: list[LocalService]) -> None:
        """Store a workflow."""
        self.services = services
        document = yaml.safe_load(spec_files.find("workflows/wfx.workflow.dau.direct.yml").read_bytes())
        self.workflow = document["name"]
        self.post(f"{BASE}/workflows", document).raise_for_status()

    def get(self, path: str, number: int = -1, **options: Any) -> dict[str, Any]:
        """Read from the fleet API of one service."""
        answer = httpx.get(self._url(path, number), timeout=DEADLINE, trust_env=False, **options)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def post(self, path: str, body: Any, number: int = -1, **headers: str) -> httpx.Response:
        """Send a request to the fleet API of one service."""
        return httpx.post(self._url(path, number), json=body, headers=headers, timeout=DEADLINE, trust_env=False)

    def _url(self, path: str, number: int) -> str:
        return self.services[number].north + (path if path.startswith("/api") else PREFIX + path)

    def total(self, conditions: str) -> int:
        """Count jobs."""
        found: int = self.get(f"/jobs/summary?{conditions}")["total"]
        return found

    def changed(self, since: str) -> list[dict[str, Any]]:
        """Return the events behind a position."""
        events: list[dict[str, Any]] = []
        while True:
            query: dict[str, Any] = {"since": since, "limit": 1000}
            page = self.get(f"{BASE}/jobs/events", params=query, headers={"Accept": "application/json"})
            if not page["content"]:
                return events
            events += [each["event"] for each in page["content"]]
            since = page["next"]

    def kill_while(self, path: str, body: dict[str, Any], begun: str) -> None:
        """Send a request, and kill its service once there is a result of it under this condition."""
        with ThreadPoolExecutor(1) as pool:
            broken: Future[httpx.Response] = pool.submit(self.post, path, body, 0, **{"Idempotency-Key": path})
            eventually(lambda: self.total(begun) > 0, "the first jobs")
            self.services[0].stop(signal.SIGKILL)
            assert isinstance(broken.exception(DEADLINE), httpx.TransportError)
        if len(self.services) == 1:
            self.services[0].start()

    def send_again(self, path: str, body: dict[str, Any]) -> bytes:
        """Send the same request until it is answered: a server does not know at once that the other one is dead."""
        deadline = time.monotonic() + DEADLINE
        while (answer := self.post(path, body, **{"Idempotency-Key": path})).status_code == 409:
            assert time.monotonic() < deadline
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """One service on SQLite, which is started again; two on PostgreSQL."""
    if request.param == "sqlite":
        with LocalService(tmp_path) as service:
            yield Place([service])
        assert_sound(tmp_path / "wfx.db")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database() as database:
        option = postgres.conninfo(database)
        with ExitStack() as stack:
            options = ("--storage=postgres", f"--storage-opt={option}")
            yield Place([stack.enter_context(LocalService(tmp_path, *options)) for _ in range(2)])
        assert set(asyncio.run(unsound(option))) <= {"writers that are gone"}


@pytest.mark.timeout(300)
def test_a_creation_is_finished_by_sending_it_again(place: Place) -> None:
    """After kill -9 the same key and request make the jobs that were missing: none twice, and the answer has all."""
    jobs = [{"clientId": f"c{n}"} for n in range(JOBS)]
    body = {"workflow": place.workflow, "tags": ["rollout"], "jobs": jobs}
    position = place.get("/jobs/summary")["position"]
    place.kill_while("/jobs:batch", body, "tag=rollout")
    before = place.total("tag=rollout")
    assert 0 < before < JOBS, "it was broken off in the middle"
    answer = place.send_again("/jobs:batch", body)
    assert place.send_again("/jobs:batch", body) == answer
    items = httpx.Response(200, content=answer).json()["items"]
    assert [item["clientId"] for item in items] == [job["clientId"] for job in jobs]
    events = place.changed(position)
    assert [event["job"]["id"] for event in events] == [item["id"] for item in items]
    assert {event["action"] for event in events} == {"CREATE"}


@pytest.mark.timeout(300)
def test_a_selection_is_finished_by_sending_it_again(place: Place) -> None:
    """What the request is about was fixed when it began: each job is changed once, whether it still matches or not."""
    jobs = [{"clientId": f"c{n}"} for n in range(JOBS)]
    body: dict[str, Any] = {"workflow": place.workflow, "tags": ["old"], "jobs": jobs}
    created = place.post("/jobs:batch", body).json()
    position = place.get("/jobs/summary")["position"]
    body = {"selection": {"tag": ["old"]}, "add": ["new"], "remove": ["old"], "expect": JOBS}
    place.kill_while("/jobs:tag", body, "tag=new")
    assert place.total("tag=old") > 0, "it was broken off in the middle"
    late = place.post("/jobs:batch", {"workflow": place.workflow, "tags": ["old"], "jobs": jobs[:1]})
    result = httpx.Response(200, content=place.send_again("/jobs:tag", body)).json()
    assert (result["count"], result["done"], result["rest"]) == (JOBS, JOBS, 0)
    assert [item["id"] for item in result["items"]] == [item["id"] for item in created["items"]]
    events = [event for event in place.changed(position) if event["action"] != "CREATE"]
    assert [(event["action"], event["job"]["id"]) for event in events] == [
        (action, item["id"]) for item in result["items"] for action in ("DELETE_TAGS", "ADD_TAGS")
    ]
    left = place.get("/jobs?tag=old")["content"]
    assert [job["id"] for job in left] == [item["id"] for item in late.json()["items"]]
