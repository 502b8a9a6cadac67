"""Actions that lack a token of one client: they wait as tasks, and the rules of all others go on."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from postgres_server import Postgres
from redis_server import PASSWORD, RedisServer

from tests.acceptance.rules.serving import ON_EACH_STORE, WORKFLOW, Ruled, altered, ruled
from wfx.demo.local import LocalService

RULES = f"""version: v1
scenarios:
  - id: back
    event_types: [job.update_status]
    children:
      - condition:
          id: failed
          expression: payload.to == "TERMINATED"
          children:
            - action:
                id: create
                type: create_job
                params:
                  client_id: "${{payload.client}}"
                  workflow: {WORKFLOW}
                  tags: ["of ${{payload.job_id}}"]
                  definition: {{artifacts: [{{name: previous, size: 1.5}}]}}
            - action: {{id: mark, type: add_tags, params: {{tags: [failed]}}}}
  - id: order
    event_types: [order]
    children:
      - action:
          id: take_order
          type: create_job
          params: {{client_id: "${{payload.client}}", workflow: {WORKFLOW}}}
"""
TWO_A_DAY = "client=2/P1D"
KILLS = int(os.environ.get("RULE_KILLS", "4"))
"""How often a service is killed at moments that are left to chance."""
PATIENT = """
from wfx.service import shared_buckets
from wfx.store.redis import buckets

shared_buckets._DEADLINE = buckets._SECONDS = 60
"""
"""So that no server, however slow the machine is, uses buckets of its own."""


def limit(folder: Path, item: str) -> str:
    """Write the limit on jobs; return the option that reads it."""
    (folder / "wfx.yml").write_text(f"sandbox-rate-limit-instance-start: [{item}]\n")
    return f"--config={folder}/wfx.yml"


async def waiting(service: Ruled, count: int) -> list[dict[str, Any]]:
    """Wait until so many actions wait, and return their tasks."""
    return await service.tasks_in("WAITING", count, kind="rule_action")


async def failed_updates(service: Ruled, client_id: str, count: int) -> list[str]:
    """Have so many updates of a device fail; return what the jobs that go back are tagged with."""
    jobs = [await service.create(client_id) for _ in range(count)]
    for job in jobs:
        await service.fail(job, "r")
    return [f"of {job}" for job in jobs]


async def way_back(service: Ruled, client_id: str, count: int) -> list[str]:
    """Wait for so many jobs of a device that go back, and return their tags, the oldest job first."""

    async def look() -> list[dict[str, Any]]:
        jobs = await service.jobs(clientId=client_id, sort="asc")
        return [job for job in jobs if any(tag.startswith("of ") for tag in job["tags"])]

    return [job["tags"][0] for job in await service.soon(look, lambda found: len(found) == count)]


def figure(text: str, line: str) -> bool:
    """Tell whether a line is in the metrics."""
    return f"\n{line}\n" in text


@ON_EACH_STORE
@pytest.mark.parametrize("way", ["reload", "kill"])
async def test_one_client_without_tokens(
    request: pytest.FixtureRequest, storage: str, tmp_path: Path, way: str
) -> None:
    """What rules do for others is done at once, its own once tokens are there, in order and once, over kill -9, too."""
    async with ruled(request, storage, tmp_path, RULES, limit(tmp_path, TWO_A_DAY)) as service:
        await service.store_workflow()
        expected = await failed_updates(service, "a", 2)
        other = await failed_updates(service, "b", 1)
        assert await way_back(service, "b", 1) == other
        tasks = await waiting(service, 2)
        assert [(task["rule"], task["action"], task["attempts"], task["target"]) for task in tasks] == [
            ("back", "create", 0, "a")
        ] * 2
        assert [job["tags"] for job in await service.jobs(clientId="a")] == [["failed"]] * 2
        assert "rule_action" in await service.wfxctl(
            "webhook", "list", "--kind=rule_action", "--filter=.content[].kind"
        )
        figures = await service.soon(
            lambda: service.client.get("/metrics"),
            lambda found: figure(found.text, 'wfx_tasks_open{kind="rule_action"} 2.0'),
        )
        assert figure(figures.text, 'wfx_rules_actions_total{result="queued",type="create_job"} 2.0'), figures.text
        limit(tmp_path, "client=100/P1D")
        await service.have_limits_read(way)
        assert await way_back(service, "a", 2) == expected
        await service.tasks_in("DONE", 2, kind="rule_action")
        assert len(await service.jobs(clientId="a")) == 4
        figures = await service.client.get("/metrics")
        assert figure(figures.text, 'wfx_tasks_done_total{kind="rule_action"} 2.0')
        (first,) = [job for job in await service.jobs(clientId="a") if job["tags"] == expected[:1]]
        shown = await service.get(f"/api/wfx/v1/jobs/{first['id']}")
        assert shown["definition"] == {"artifacts": [{"name": "previous", "size": 1.5}]}


@ON_EACH_STORE
async def test_tokens_that_come_back(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Actions that wait begin by themselves as tokens come back, each once."""
    async with ruled(request, storage, tmp_path, RULES, limit(tmp_path, "client=2/PT4S")) as service:
        await service.store_workflow()
        assert (await service.client.post("/v1/events/batch", json=orders("a", 6))).status_code == 202
        await service.soon(lambda: service.jobs(clientId="a"), lambda found: len(found) == 6)
        await service.soon(lambda: service.tasks(kind="rule_action"), _are_done)
        assert len(await service.jobs(clientId="a")) == 6


@pytest.mark.timeout(300 + 15 * KILLS)
@ON_EACH_STORE
async def test_kills_while_actions_are_done(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Actions that waited and are done while the service is killed over and over are done once each, none is lost."""
    chance = random.Random(21)
    async with ruled(request, storage, tmp_path, RULES, limit(tmp_path, "client=30/P30D")) as service:
        await service.store_workflow()
        expected = await failed_updates(service, "a", 30)
        await waiting(service, 30)
        limit(tmp_path, "client=4/PT0.2S")
        for _ in range(KILLS):
            await service.have_limits_read("kill")
            await asyncio.sleep(chance.uniform(0, 0.3))
        assert sorted(await way_back(service, "a", 30)) == sorted(expected)
        await service.tasks_in("DONE", 30, kind="rule_action")
        assert len(await service.jobs(clientId="a")) == 60


def orders(client_id: str, count: int) -> list[dict[str, Any]]:
    """Events that each have a job created for a device."""
    return [{"type": "order", "payload": {"client": client_id}}] * count


def _are_done(tasks: list[dict[str, Any]]) -> bool:
    return all(task["state"] == "DONE" for task in tasks)


@ON_EACH_STORE
async def test_events_of_a_batch(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Events of a batch that one client has no token for hold up no others; a single one is refused with 429."""
    async with ruled(request, storage, tmp_path, RULES, limit(tmp_path, TWO_A_DAY)) as service:
        await service.store_workflow()
        batch = [*orders("a", 40), *orders("b", 1)]
        assert (await service.client.post("/v1/events/batch", json=batch)).status_code == 202
        await waiting(service, 38)
        await service.soon(lambda: service.jobs(clientId="b"), lambda found: len(found) == 1)
        assert len(await service.jobs(clientId="a")) == 2
        assert (await service.tell(type="order", payload={"client": "a"})).status_code == 429
        assert (await service.tell(type="order", payload={"client": "c"})).status_code == 200


@pytest.mark.parametrize("buckets", ["postgres", "redis"])
async def test_two_servers(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres, buckets: str) -> None:
    """Two servers with one database share its tokens, or those in Redis, and each action that waits is done once.

    So it is if one of them is killed meanwhile.
    """
    with postgres.database() as name:
        options = [
            "--storage=postgres", f"--storage-opt={postgres.conninfo(name)}", f"--sandbox-rate-limit-type={buckets}",
        ]  # fmt: skip
        if buckets == "redis":
            redis: RedisServer = request.getfixturevalue("redis_server")
            options += [f"--redis-host={redis.host}", f"--redis-password={PASSWORD}", f"--redis-key-prefix={name}:"]
        folders = [tmp_path / "s0", tmp_path / "s1"]
        environment = altered(tmp_path, PATIENT)
        async with AsyncExitStack() as stack:
            pair = [await _server(stack, folder, options, environment) for folder in folders]
            await pair[0].store_workflow()
            for each in pair:
                assert (await each.client.post("/v1/events/batch", json=orders("a", 16))).status_code == 202
            expected = await failed_updates(pair[1], "b", 2)
            await waiting(pair[1], 32)
            assert len(await pair[1].jobs(clientId="a")) == 2
            await asyncio.to_thread(pair[0].service.stop, signal.SIGKILL)
            for folder in folders:
                limit(folder, "client=1000/P1D")
            pair[1].service.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
            await asyncio.to_thread(pair[0].service.start)
            await pair[1].tasks_in("DONE", 32, kind="rule_action")
            assert len(await pair[1].jobs(clientId="a")) == 32
            assert await way_back(pair[1], "b", 2) == expected


async def _server(stack: AsyncExitStack, folder: Path, options: Sequence[str], environment: dict[str, str]) -> Ruled:
    folder.mkdir()  # noqa: ASYNC240 - once
    (folder / "rules.yml").write_text(RULES)
    service = LocalService(folder, *options, "--rules=rules.yml", limit(folder, TWO_A_DAY), environment=environment)
    await asyncio.to_thread(service.start)
    stack.callback(service.stop)
    client = await stack.enter_async_context(httpx.AsyncClient(base_url=service.north, trust_env=False, timeout=60))
    return Ruled(service, client)
