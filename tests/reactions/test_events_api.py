"""Events from outside, told to a real server on each kind of storage."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from waiting import eventually

from tests.reactions.incoming_events import AWARDED, FOOD, PURCHASE
from tests.reactions.ruled_service import QUICK_START, STORAGES, clients, rules_with, score, storage_options
from wfx.demo.local import LocalService


@pytest.fixture(scope="module", params=STORAGES)
def ruled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service with the rules of the quick start, one for each kind of storage; tests use actors of their own."""
    folder = tmp_path_factory.mktemp(f"ruled-{request.param}")
    options = storage_options(request.param, folder, request.getfixturevalue)
    with LocalService(folder, *options, f"--rules={QUICK_START}") as service:
        yield service


def purchase(**members: Any) -> dict[str, Any]:
    """A purchase with other members."""
    return PURCHASE | members


def test_the_quick_start(ruled: LocalService) -> None:
    """A purchase of 1500 is awarded 75 points, in the shape and the words of the rule engine that is the model."""
    with clients(ruled) as client:
        answer = client.post("/events", json=PURCHASE)
        assert answer.status_code == 200
        told = answer.json()
        assert (told.pop("duration_ms") >= 0, len(told.pop("event_id"))) == (True, 36)
        assert told == {
            "scenarios_matched": ["sc_high_value_food"],
            "actions_executed": [
                {"action_id": "act_bonus_points", "type": "reward_points", "success": True, "message": AWARDED}
            ],
        }
        assert score(client, "user_42") == 75


def test_the_same_id_has_one_effect(ruled: LocalService) -> None:
    """The same event twice gets the same answer to the byte, and the points are given once."""
    event = purchase(id="evt_01", actor_id="twice")
    with clients(ruled) as client:
        first, second = client.post("/events", json=event), client.post("/events", json=event)
        assert (first.status_code, first.json()["event_id"]) == (200, "evt_01")
        assert second.content == first.content
        assert score(client, "twice") == 75


@pytest.mark.parametrize("ident", ["\\ud800", "\\udfff", "a\\ud800b", "\\ufffd"])
def test_ids_that_are_no_text(ruled: LocalService, ident: str) -> None:
    """Ids with half of a surrogate pair are refused: two of them could not be told apart."""
    with clients(ruled) as client:
        event = json.dumps(purchase(id="#", actor_id="no-text")).replace("#", ident).encode()
        for path, body, place in (("/events", event, "/id"), ("/events/batch", b"[" + event + b"]", "/0/id")):
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400
            assert f"{place}: an id has whole characters" in answer.text
        assert score(client, "no-text") == 0


def test_twenty_at_once_have_one_effect(ruled: LocalService) -> None:
    """One event that twenty senders tell at the same time gets one answer, and is done once."""
    event = purchase(id="evt_at_once", actor_id="at-once")
    with ThreadPoolExecutor(20) as pool, clients(ruled) as client:
        url = f"{ruled.north}/v1/events"
        answers = list(pool.map(lambda _: httpx.post(url, json=event, trust_env=False), range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert score(client, "at-once") == 75


def test_what_matches_nothing_does_nothing(ruled: LocalService) -> None:
    """A purchase of 500 matches no scenario and gives no points."""
    with clients(ruled) as client:
        for members in ({}, {"id": "evt_small"}):
            event = purchase(actor_id="small", payload={"amount": 500, "category": "food"}, **members)
            told = client.post("/events", json=event).json()
            assert (told["scenarios_matched"], told["actions_executed"]) == ([], [])
        assert score(client, "small") == 0


def test_devices_cannot_tell_events(ruled: LocalService) -> None:
    """The southbound side answers 404 to events, batches and scores, with rules or without."""
    for path in ("/v1/events", "/v1/events/batch", "/v1/scores", "/v1/scores/user_42"):
        for method in ("GET", "POST"):
            assert httpx.request(method, ruled.south + path, json=PURCHASE).status_code == 404


def test_a_batch(ruled: LocalService) -> None:
    """Two events are queued with 202, and are carried out a moment later; too many, or one without a type, are not."""
    with clients(ruled) as client:
        answer = client.post("/events/batch", json=[purchase(actor_id="batch"), purchase(id="b2", actor_id="batch")])
        assert answer.status_code == 202
        receipt = answer.json()
        assert len(receipt.pop("job_id")) == 36
        assert receipt == {"total": 2, "queued": 2, "rejected": 0}
        eventually(lambda: score(client, "batch") == 150, "both are evaluated")
        refused = client.post("/events/batch", json=[PURCHASE] * 101)
        assert (refused.status_code, refused.json()) == (400, {"error": "batch size 101 exceeds max 100"})
        refused = client.post("/events/batch", json=[{"payload": {}}])
        assert (refused.status_code, refused.json()["error"]) == (400, "event type is required")
        assert client.post("/events", json={}).json() == {"error": "event type is required"}


def test_scores_are_read_page_by_page(ruled: LocalService) -> None:
    """Points are listed in the order in which they were given, of all actors or of one, and add up to the total."""
    with clients(ruled) as client:
        for amount in (2000, 3000, 4000):
            event = purchase(actor_id="pages/7", payload={"amount": amount, "category": "food"})
            assert client.post("/events", json=event).status_code == 200
        first = client.get("/scores/pages%2F7", params={"limit": 2}).json()
        assert (first["actor_id"], first["points"]) == ("pages/7", 450)
        rest = client.get("/scores/pages%2F7", params={"limit": 2, "after": first["next"]}).json()
        assert "next" not in rest
        entries = [*first["content"], *rest["content"]]
        assert [entry["points"] for entry in entries] == [100, 150, 200]
        assert {entry["reason"] for entry in entries} == {"High-value food purchase bonus"}
        everything = client.get("/scores", params={"limit": 1000}).json()["content"]
        assert [entry for entry in everything if entry["actor_id"] == "pages/7"] == entries
        assert [entry["number"] for entry in everything] == sorted(entry["number"] for entry in everything)
        nobody = client.get("/scores/nobody%00").json()
        assert nobody == {"actor_id": "nobody\0", "points": 0, "content": []}
        refused = client.get("/scores", params={"limit": 0})
        assert (refused.status_code, "is not between 1 and 1000" in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize("storage", STORAGES)
def test_no_death_doubles_or_forgets(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Killed at any moment, a server gives the same answer afterwards, or the event had no effect: points are exact."""
    options = storage_options(storage, tmp_path, request.getfixturevalue)
    service = LocalService(tmp_path, *options, f"--rules={QUICK_START}")
    answers: dict[str, bytes] = {}
    drawn = random.Random(7)
    for kill in range(5):
        service.start()
        url = f"{service.north}/v1/events"

        def tell(ident: str, url: str = url) -> None:
            with suppress(httpx.TransportError):
                answer = httpx.post(url, json=purchase(id=ident, actor_id="killed"), trust_env=False, timeout=60)
                if answer.status_code == 200:
                    assert answers.setdefault(ident, answer.content) == answer.content

        idents = [*answers][:20] + [f"{kill}-{number}" for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            told = [pool.submit(tell, ident) for ident in idents]
            enough = drawn.randrange(5, 50)
            eventually(lambda told=told, enough=enough: sum(map(Future.done, told)) >= enough, "it is well under way")  # type: ignore[misc]
            service.stop(signal.SIGKILL)
        for each in told:
            each.result()
    with service, clients(service) as client:
        for ident in {f"{kill}-{number}" for kill in range(5) for number in range(40)}:
            answer = client.post("/events", json=purchase(id=ident, actor_id="killed"))
            assert answers.setdefault(ident, answer.content) == answer.content
        assert score(client, "killed") == 75 * 200


def test_two_servers_have_one_effect(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Servers that share a database give one answer to an event, whichever is told it first."""
    options = (*storage_options("postgres", tmp_path, request.getfixturevalue), f"--rules={QUICK_START}")
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        servers = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            servers.append(stack.enter_context(LocalService(tmp_path / name, *options)))
        told = [
            (f"evt_{number}", f"{server.north}/v1/events") for number in range(20) for server in [*servers, *servers]
        ]
        answers = list(
            pool.map(
                lambda each: httpx.post(each[1], json=purchase(id=each[0]), trust_env=False, timeout=60).content, told
            )
        )
        assert [len(set(answers[at : at + 4])) for at in range(0, 80, 4)] == [1] * 20
        with clients(servers[0]) as client:
            assert score(client, "user_42") == 75 * 20


CREATES = """version: v1
scenarios:
  - id: sc_order
    event_types: [order]
    children:
      - action:
          id: act_create
          type: create_job
          params:
            client_id: ${event.actor_id}
            workflow: ${payload.workflow}
            definition: {order: "${payload.number}"}
            tags: [ordered]
"""


@pytest.mark.parametrize("storage", STORAGES)
def test_an_event_creates_a_job(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """A job that an event creates is there when the answer comes, with the rule and the request as its cause."""
    options = storage_options(storage, tmp_path, request.getfixturevalue)
    flow = {"name": "w", "states": [{"name": "A"}], "transitions": [], "groups": []}
    rules = rules_with(tmp_path, CREATES)
    with LocalService(tmp_path, *options, f"--rules={rules}") as service, clients(service) as client:
        base = f"{service.north}/api/wfx/v1"
        httpx.post(f"{base}/workflows", json=flow).raise_for_status()
        order = {"id": "o1", "type": "order", "actor_id": "press-7", "payload": {"workflow": "w", "number": 7}}
        for _ in range(2):
            told = client.post("/events", json=order, headers={"X-Request-Id": "req-1"}).json()
            (result,) = told["actions_executed"]
            assert (result["success"], result["message"]) == (True, "Created a job of w for press-7")
        (job,) = httpx.get(f"{base}/jobs", params={"clientId": "press-7"}).json()["content"]
        assert (job["definition"], job["tags"]) == ({"order": 7}, ["ordered"])
        dump = tmp_path / "dump.jsonl"
        command = [sys.executable, "-m", "wfx", "export", *options, str(dump)]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60, capture_output=True)
        caused = [line for line in dump.read_text().splitlines() if "rule:sc_order" in line]
        assert len(caused) == 1
        assert job["id"] in caused[0]
        assert "req-1" in caused[0]
        missing = client.post("/events", json=order | {"id": "o2", "payload": {"workflow": "none"}}).json()
        (result,) = missing["actions_executed"]
        assert (result["success"], "Workflow not found" in result["message"]) == (False, True)


def test_the_queue_of_a_server(tmp_path: Path) -> None:
    """The numbers of the engine in the rule file hold: a queue for ten events takes ten of a hundred."""
    rules = rules_with(tmp_path, FOOD, queue_depth=10, event_workers=1)
    with LocalService(tmp_path, f"--rules={rules}") as service, clients(service) as client:
        assert httpx.get(f"{service.north}/readyz").status_code == 200
        assert httpx.get(f"{service.north}/healthz").status_code == 200
        receipt = client.post("/events/batch", json=[PURCHASE] * 100).json()
        assert (receipt["queued"], receipt["rejected"]) == (10, 90)
        eventually(lambda: score(client, "user_42") == 750, "those that were queued are evaluated")


def test_what_may_not_begin_is_refused(tmp_path: Path) -> None:
    """An event whose job would exceed a limit gets 429 and does nothing; one that was answered keeps its answer."""
    rules = rules_with(tmp_path, CREATES)
    options = (f"--rules={rules}", "--sandbox-rate-limit-instance-start=2/PT1H")
    flow = {"name": "w", "states": [{"name": "A"}], "transitions": [], "groups": []}
    with LocalService(tmp_path, *options) as service, clients(service) as client:
        base = f"{service.north}/api/wfx/v1"
        httpx.post(f"{base}/workflows", json=flow).raise_for_status()
        order = {"type": "order", "actor_id": "press-7", "payload": {"workflow": "w", "number": 7}}
        answers = [client.post("/events", json=order | {"id": f"o{number}"}) for number in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) > 1000
        assert "instance-start" in answers[2].json()["error"]
        assert client.post("/events", json=order | {"id": "o0"}).content == answers[0].content
        assert len(httpx.get(f"{base}/jobs").json()["content"]) == 2
