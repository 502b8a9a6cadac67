"""Rules of a running service, on each kind of storage: changes of jobs, kill -9, and rules that feed themselves."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.reactions.ruled_service import STORAGES, rules_with, storage_options
from tests.waiting import DEADLINE, eventually
from wfx import spec_files
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
KILLS = int(os.environ.get("RULE_KILLS", "20"))
"""How often the service is killed; ``RULE_KILLS=100`` takes some minutes, ten on a busy machine."""
WORKFLOW = "wfx.workflow.dau.direct"
ROLL_BACK = """version: v1
scenarios:
  - id: roll_back
    event_types: [job.update_status]
    children:
      - condition:
          id: entered
          expression: 'payload.to == "TERMINATED" AND payload.from != payload.to'
          children:
            - action:
                id: create_roll_back
                type: create_job
                params: {client_id: "${payload.client}", workflow: "${payload.workflow}", tags: [roll-back]}
            - action: {id: tag_failed, type: add_tags, params: {tags: [failed]}}
            - action: {id: tell, type: webhook_notify, params: {url: "HOOK", body: "${payload.job_id}"}}
            - action:
                id: count
                type: reward_points
                params: {operation: award, points: 1, reason: "${payload.job_id}"}
"""
AGAIN = """version: v1
scenarios:
  - id: again
    event_types: [job.create]
    children:
      - action:
          id: create_again
          type: create_job
          params: {client_id: "${payload.client}", workflow: "${payload.workflow}", tags: [again]}
"""


class Fleet:
    """Services that share a storage, and the device whose updates fail."""

    def __init__(self, services: Sequence[LocalService]) -> None:
        """Store the workflow."""
        self.services = services
        document = yaml.safe_load(spec_files.find(f"workflows/{WORKFLOW}.yml").read_bytes())
        self.post("/workflows", document)

    def post(self, path: str, body: Any, number: int = 0) -> Any:
        """Send something to the management side."""
        url = self.services[number].north + BASE + path
        return httpx.post(url, json=body, timeout=60, trust_env=False).raise_for_status().json()

    def get(self, path: str, number: int = 0, **query: Any) -> Any:
        """Read from the management side."""
        url = self.services[number].north + path
        headers = {"Accept": "application/json"}
        answer = httpx.get(url, params=query, headers=headers, timeout=60, trust_env=False)
        return answer.raise_for_status().json()

    def create(self, client_id: str, number: int = 0) -> str:
        """Create a job."""
        job_id: str = self.post("/jobs", {"clientId": client_id, "workflow": WORKFLOW}, number)["id"]
        return job_id

    def fail(self, job_id: str, number: int = 0) -> None:
        """Let the device report that its update failed."""
        url = f"{self.services[number].south}{BASE}/jobs/{job_id}/status"
        answer = httpx.put(url, json={"state": "TERMINATED"}, timeout=60, trust_env=False)
        assert answer.status_code == 200

    def events(self) -> list[dict[str, Any]]:
        """Return the whole log."""
        found, since = list[dict[str, Any]](), "0"
        while True:
            page = self.get(f"{BASE}/jobs/events", since=since, limit=1000)
            if not page["content"]:
                return found
            found += [each["event"] for each in page["content"]]
            since = page["next"]

    def effects(self) -> dict[str, Counter[str]]:
        """Count what the rule has done, by what it was about."""
        events = self.events()
        scores = list[dict[str, Any]]()
        page: dict[str, Any] = {"next": 0}
        while "next" in page:
            page = self.get("/v1/scores", after=page["next"], limit=1000)
            scores += page["content"]
        tagged = [event["job"]["id"] for event in events if event["action"] == "ADD_TAGS"]
        created = [event["job"] for event in events if event["action"] == "CREATE"]
        return {
            "tags": Counter(tagged),
            "roll-backs": Counter(job["clientId"] for job in created if job.get("tags") == ["roll-back"]),
            "points": Counter(score["reason"] for score in scores),
        }


@pytest.fixture(params=STORAGES)
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Sequence[str]:
    """The options of each kind of storage."""
    return storage_options(request.param, tmp_path, request.getfixturevalue)


class Hooks(ThreadingHTTPServer):
    """Receives webhooks."""

    def __init__(self) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), Hook)
        self.ids = defaultdict[str, set[str]](set)
        """Of the webhooks, by what they say."""
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Hook(BaseHTTPRequestHandler):
    """Answers one."""

    def do_POST(self) -> None:
        """Note the id."""
        assert isinstance(self.server, Hooks)
        length = int(self.headers["Content-Length"])
        if len(body := self.rfile.read(length)) < length:  # the sender was killed
            return
        self.server.ids[json.loads(body)].add(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """What receives webhooks."""
    with Hooks() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def rules(tmp_path: Path, hooks: Hooks) -> Sequence[str]:
    """The options of the rule of the roll-back."""
    file = rules_with(tmp_path, ROLL_BACK.replace("HOOK", hooks.url))
    return (f"--rules={file}", "--webhook-allowed-networks=127.0.0.0/8")


@pytest.fixture
def fleet(options: Sequence[str], rules: Sequence[str], tmp_path: Path) -> Iterator[Fleet]:
    """A service with the rule of the roll-back."""
    with LocalService(tmp_path, *options, *rules) as service:
        yield Fleet([service])


def soon(condition: Callable[[], object], what: str) -> None:
    """Wait for what a service does, of which only its answers tell."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_failed_update_has_each_effect_once(fleet: Fleet, hooks: Hooks) -> None:
    """One job is created, one tag event written, one point given and one webhook sent, and events name the rule."""
    job_id = fleet.create("press-7")
    fleet.fail(job_id)
    soon(lambda: fleet.effects()["points"], "the point")
    assert fleet.effects() == {"tags": {job_id: 1}, "roll-backs": {"press-7": 1}, "points": {job_id: 1}}
    failure, *caused = fleet.events()[1:]
    assert failure.get("cause") is None
    assert [event["cause"] for event in caused] == [{"rule": "roll_back", "root": 3, "depth": 1}] * 2
    soon(lambda: hooks.ids, "the webhook")
    assert [len(ids) for ids in hooks.ids.values()] == [1]


@pytest.mark.timeout(300 + 15 * KILLS)
def test_kill_between_a_change_and_its_effects(fleet: Fleet, hooks: Hooks) -> None:
    """After kill -9 at random points, each change that was answered has each effect once, and a webhook of one id."""
    (service,), failed = fleet.services, list[str]()
    chance = random.Random(19)
    for number in range(KILLS):
        jobs = [fleet.create(f"c{number}-{each}") for each in range(4)]
        for job_id in jobs[:-1]:
            fleet.fail(job_id)
        time.sleep(chance.uniform(0, 0.02))
        service.stop(signal.SIGKILL)
        failed += jobs[:-1]
        service.start()
    soon(lambda: len(fleet.effects()["points"]) == len(failed), "all points")
    effects = fleet.effects()
    assert effects["tags"] == effects["points"] == Counter(failed)
    clients = [f"c{number}-{each}" for number in range(KILLS) for each in range(3)]
    assert effects["roll-backs"] == Counter(clients)
    soon(lambda: hooks.ids.keys() == set(failed), "all webhooks")
    assert {len(ids) for ids in hooks.ids.values()} == {1}
    assert len(set.union(*hooks.ids.values())) == len(failed)


def test_two_servers_race(postgres: Any, tmp_path: Path, rules: Sequence[str]) -> None:
    """Two servers with the same rules on one database do everything once, also when one is killed on the way."""
    with postgres.database() as database, ExitStack() as stack:
        options = ("--storage=postgres", f"--storage-opt={postgres.conninfo(database)}", *rules)
        services = [stack.enter_context(LocalService(tmp_path, *options)) for _ in range(2)]
        fleet = Fleet(services)
        jobs = [fleet.create(f"c{number}", number % 2) for number in range(40)]
        for number, job_id in enumerate(jobs[:20]):
            fleet.fail(job_id, number % 2)
        services[1].stop(signal.SIGKILL)
        for job_id in jobs[20:]:
            fleet.fail(job_id)
        soon(lambda: len(fleet.effects()["points"]) == 40, "all points")
        effects = fleet.effects()
    assert effects["tags"] == effects["points"] == Counter(jobs)
    assert effects["roll-backs"] == Counter(f"c{number}" for number in range(40))


def test_rules_that_feed_themselves_stop(options: Sequence[str], tmp_path: Path) -> None:
    """With a limit of 5 a rule that creates a job for each new one creates 5, is refused once, and then rests."""
    rules = rules_with(tmp_path, AGAIN)
    limit = "--sandbox-max-allowed-repetitions=5"
    with LocalService(tmp_path, *options, f"--rules={rules}", limit) as service:
        fleet = Fleet([service])
        fleet.create("press-7")
        metric = "wfx_repetition_limit_total 1.0"
        eventually(lambda: metric in httpx.get(f"{service.north}/metrics", trust_env=False).text, "it was limited")
        head = len(fleet.events())
        created = [event for event in fleet.events() if event["job"].get("tags") == ["again"]]
        fleet.create("press-8")
        soon(lambda: len(fleet.events()) == head + 6, "the other chain")
    assert len(created) == 5
    refused = [line for line in service.lines if "an action of a rule was not taken" in line]
    assert len(refused) == 2
