"""A service with rules sends webhooks, shows what became of them, and loses none when it is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from conformance import conforming_client
from postgres_server import Postgres

from tests.tasks.receiving import Receiver, receiver
from tests.tasks.working import until_true
from tests.waiting import until
from wfx.demo.local import LocalService

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULES = """
version: v1
scenarios:
  - id: tell
    event_types: [alarm]
    children:
      - action:
          id: notify
          type: webhook_notify
          params: {url: "%s", body: {text: "${payload.text}"}}
"""
MAIL = """      - action:
          id: write
          type: mail
          params: {to: [night-shift@example.com], subject: Alarm, text: "${payload.text}"}
"""


def service_of(folder: Path, url: str, *options: str, more: str = "") -> LocalService:
    """A service, not started, whose rules send a webhook there for each alarm."""
    folder.mkdir(exist_ok=True)
    (folder / "rules.yml").write_text(RULES % url + more)
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "secret").chmod(0o600)
    return LocalService(
        folder, f"--rules={folder}/rules.yml", f"--webhook-secret-file={folder}/secret",
        "--webhook-allowed-networks=127.0.0.0/8", *options,
    )  # fmt: skip


@asynccontextmanager
async def started(*services: LocalService) -> AsyncIterator[Sequence[httpx.AsyncClient]]:
    """Start services, and yield clients of them; stop them in the end."""
    clients = []
    try:
        for each in services:
            await asyncio.to_thread(each.start)
            clients.append(httpx.AsyncClient(base_url=each.north, trust_env=False))
        yield clients
    finally:
        for client in clients:
            await client.aclose()
        for each in services:
            if each.process is not None and each.process.poll() is None:
                await asyncio.to_thread(each.stop)


async def alarm(client: httpx.AsyncClient, text: str, request_id: str = "story-1") -> Any:
    """Tell of something that a webhook is sent for."""
    event = {"type": "alarm", "id": f"evt-{text}", "payload": {"text": text}}
    answer = await client.post("/v1/events", json=event, headers={"X-Request-Id": request_id})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tasks(client: httpx.AsyncClient, **query: str) -> list[Any]:
    """List tasks."""
    answer = await client.get("/v1/tasks", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["content"]
    return found


async def in_state(client: httpx.AsyncClient, state: str, count: int = 1) -> list[Any]:
    """Wait until so many tasks are in a state, and return them."""

    async def are_there() -> bool:
        return len(await tasks(client, state=state)) == count

    await until_true(are_there, f"{count} tasks are {state}")
    return await tasks(client, state=state)


def wfxctl(service: LocalService, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of wfxctl."""
    command = [sys.executable, "-m", "wfxctl", *words, f"--mgmt-port={service.ports['north']}"]
    return subprocess.run(command, cwd=service.folder, capture_output=True, text=True, timeout=60, check=False)


async def test_one_id_finds_the_whole_story(tmp_path: Path) -> None:
    """The id of a request is that of the webhook it leads to, of the task that is shown, and of its log records."""
    async with receiver([404, 200]) as found:
        service = service_of(tmp_path / "s", found.url, "--log-level=debug")
        async with started(service) as (client,):
            told = await alarm(client, "hot")
            assert told["actions_executed"][0]["message"].startswith("queued as task ")
            await in_state(client, "DONE")
            (task,) = await tasks(client)
    assert found.verify(SECRET) == [{"text": "hot"}] * 2
    assert {each.headers["x-request-id"] for each in found.requests} == {"story-1"}
    assert (task["request_id"], task["attempts"], task["message"]) == ("story-1", 2, "answered 200 OK")
    assert (task["rule"], task["action"], task["kind"]) == ("tell", "notify", "webhook_notify")
    assert task["target"] == f"http://127.0.0.1:{found.port}"
    assert {task["webhook_id"]} == set(found.ids)
    records = [json.loads(line) for line in service.lines if '"task 1 is' in line]
    assert [record["reqID"] for record in records] == ["story-1", "story-1"]
    assert SECRET not in "".join(service.lines)


@pytest.mark.parametrize("moment", ["between", "within"])
async def test_killed_in_the_middle(tmp_path: Path, moment: str) -> None:
    """A webhook whose server is killed between two attempts, or in one, is delivered after the next start, once."""

    def hang(found: Receiver) -> None:
        found.silent = moment == "within"

    async with receiver([503, 200], hang) as found:
        service = service_of(tmp_path / "s", found.url)
        async with started(service) as (client,):
            await alarm(client, "hot")
            await until(lambda: found.requests)
            if moment == "between":
                (task,) = await in_state(client, "WAITING")
                assert task["attempts"] == 1
            await asyncio.to_thread(service.stop, signal.SIGKILL)
        found.silent = False
        async with started(service) as (client,):
            (task,) = await in_state(client, "DONE")
            assert (await alarm(client, "hot"))["actions_executed"][0]["success"]
            assert len(await tasks(client)) == 1
        assert found.verify(SECRET) == [{"text": "hot"}] * 2
    assert len(set(found.ids)) == 1


async def test_two_servers_share_the_work(tmp_path: Path, postgres: Postgres) -> None:
    """Of two servers with one database each task is done by one of them, whichever was told of it."""
    async with receiver() as found:
        with postgres.database() as name:
            options = ("--storage=postgres", f"--storage-opt={postgres.conninfo(name)}")
            pair = [service_of(tmp_path / f"s{number}", found.url, *options) for number in range(2)]
            async with started(*pair) as clients:
                await asyncio.gather(*(alarm(clients[n % 2], f"t{n}") for n in range(60)))
                done = await in_state(clients[0], "DONE", 60)
                assert await tasks(clients[1]) == sorted(done, key=lambda task: task["id"])
    assert sorted(body["text"] for body in found.verify(SECRET)) == sorted(f"t{n}" for n in range(60))  # type: ignore[index]
    assert len(set(found.ids)) == 60


async def test_a_survivor_takes_over(tmp_path: Path, postgres: Postgres) -> None:
    """What a server that is killed had begun with, another one with the same database finishes."""

    def hang(found: Receiver) -> None:
        found.silent = True

    async with receiver([200], hang) as found:
        with postgres.database() as name:
            options = ("--storage=postgres", f"--storage-opt={postgres.conninfo(name)}")
            pair = [service_of(tmp_path / f"s{number}", found.url, *options) for number in range(2)]
            async with started(*pair) as clients:
                await alarm(clients[0], "hot")
                await until(lambda: found.requests)
                await asyncio.to_thread(pair[0].stop, signal.SIGKILL)
                found.silent = False
                await alarm(clients[1], "cold")
                await in_state(clients[1], "DONE", 2)
    assert [body["text"] for body in found.verify(SECRET)] == ["hot", "cold", "hot"]  # type: ignore[index]
    assert found.ids[0] == found.ids[2] != found.ids[1]


async def test_replay_from_the_command_line(tmp_path: Path) -> None:
    """A webhook that has failed is listed with the reason, and delivered under its id once it is replayed."""
    async with receiver([410, 200]) as found:
        service = service_of(tmp_path / "s", found.url)
        async with started(service) as (client,):
            await alarm(client, "hot")
            await in_state(client, "FAILED")
            listed = await asyncio.to_thread(wfxctl, service, "webhook", "list", "--state=FAILED")
            assert "answered 410 Gone" in listed.stdout
            replayed = await asyncio.to_thread(wfxctl, service, "webhook", "replay", "1")
            assert (replayed.returncode, replayed.stderr) == (0, "")
            await in_state(client, "DONE")
            again = await asyncio.to_thread(wfxctl, service, "webhook", "replay", "1")
            assert again.returncode == 1
            assert "task 1 is DONE; only a task that is FAILED can be done once more" in again.stderr
            assert (await tasks(client))[0]["attempts"] == 2
            figures = (await client.get("/metrics")).text
    assert len(found.ids) == 2
    assert len(set(found.ids)) == 1
    for line in (
        'wfx_task_attempts_total{kind="webhook_notify"} 2.0', 'wfx_tasks_done_total{kind="webhook_notify"} 1.0',
        'wfx_tasks_failed_total{kind="webhook_notify"} 1.0',
        'wfx_task_duration_seconds_count{kind="webhook_notify"} 2.0',
    ):  # fmt: skip
        assert line in figures


async def test_the_api_of_tasks(tmp_path: Path) -> None:
    """Tasks are listed by kind and state, page by page in both orders; what cannot be replayed is refused."""
    async with receiver() as found:
        service = service_of(tmp_path / "s", found.url, more=MAIL)
        async with started(service) as (client,):
            for number in range(3):
                await alarm(client, f"t{number}")
            await in_state(client, "DONE", 3)
            await in_state(client, "FAILED", 3)
            with conforming_client(service.north) as north:
                await asyncio.to_thread(_look_at, north)
    assert len(found.requests) == 3


def _look_at(north: httpx.Client) -> None:
    everything = north.get("/v1/tasks").json()
    assert [task["id"] for task in everything["content"]] == [1, 2, 3, 4, 5, 6]
    assert "next" not in everything
    mails = north.get("/v1/tasks", params={"kind": "mail"}).json()["content"]
    assert {task["message"] for task in mails} == {"there is no server for mails: give one by --smtp-host"}
    assert {task["target"] for task in mails} == {"night-shift@example.com"}
    pages, after = [], 0
    while True:
        page = north.get("/v1/tasks", params={"sort": "desc", "limit": 2, "after": after}).json()
        pages += [task["id"] for task in page["content"]]
        if "next" not in page:
            break
        after = page["next"]
    assert pages == [6, 5, 4, 3, 2, 1]
    assert north.get("/v1/tasks", params={"kind": "other"}).json() == {"content": []}
    for path, status, text in (
        ("/v1/tasks/1/replay", 409, "task 1 is DONE; only a task that is FAILED can be done once more"),
        ("/v1/tasks/999/replay", 404, "there is no task 999"),
        ("/v1/tasks/x/replay", 400, "parameter 'id': 'x' is not the number of a task"),
        ("/v1/tasks/0/replay", 400, "parameter 'id': '0' is not the number of a task"),
        ("/v1/tasks/99999999999999999999/replay", 400, "is not the number of a task"),
    ):
        answer = north.post(path)
        assert (answer.status_code, text in answer.json()["error"]) == (status, True), answer.text
    lost = north.get("/v1/tasks", params={"state": "LOST"}).json()
    assert lost == {"error": "parameter 'state': 'LOST' is none of WAITING, RUNNING, DONE, FAILED"}
    for query in ({"limit": "0"}, {"after": "-1"}, {"sort": "up"}, {"colour": "red"}):
        assert north.get("/v1/tasks", params=query).status_code == 400
    replayed = north.post("/v1/tasks/2/replay").json()
    assert (replayed["id"], replayed["state"]) == (2, "WAITING")


async def test_settings_of_the_service_are_reloaded(tmp_path: Path) -> None:
    """Allowed networks and secrets count from the next attempt on when their files change, without a restart."""
    async with receiver() as found:
        folder = tmp_path / "s"
        service = service_of(folder, found.url, f"--config={folder}/wfx.yml")
        service.options = [each for each in service.options if "networks" not in each]
        (folder / "wfx.yml").write_text("webhook-allowed-networks: []\n")
        async with started(service) as (client,):
            await alarm(client, "hot")
            (task,) = await in_state(client, "FAILED")
            assert task["message"] == "address not allowed: 127.0.0.1"
            other = "whsec_" + "QUJD" * 11
            (folder / "secret").write_text(other)
            (folder / "wfx.yml").write_text("webhook-allowed-networks: [127.0.0.1]\n")
            assert service.process is not None
            service.process.send_signal(signal.SIGHUP)
            await until(lambda: any("reload" in line for line in service.lines))
            await client.post("/v1/tasks/1/replay")
            await in_state(client, "DONE")
        assert found.verify(other) == [{"text": "hot"}]


@pytest.mark.parametrize(("options", "said"), [
    (["--webhook-secret-file=missing"], "webhook-secret-file"), (["--webhook-secret-file=short"], "24 to 64 bytes"),
    (["--smtp-host=post.example"], "smtp-from"), (["--smtp-password-file=short"], "smtp-user"),
    (["--smtp-from=nobody"], "no mail address"), (["--webhook-allowed-networks=10.0.0.1/8"], "network"),
    (["--smtp-user=a", "--smtp-password-file=missing"], "cannot be read"),
])  # fmt: skip
def test_settings_that_cannot_be_used(tmp_path: Path, options: list[str], said: str) -> None:
    """The service does not start with settings that no webhook or mail could be sent with, and says which one it is."""
    (tmp_path / "short").write_text("whsec_c2hvcnQ=\n")
    ran = subprocess.run(
        [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", *options],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "c2hvcnQ" not in ran.stderr
