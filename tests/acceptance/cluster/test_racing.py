"""Devices that report on one job to two servers at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from history_check import Document, compare
from postgres_server import Postgres

from tests.acceptance.clients import Follower, Side, list_jobs, read_jobs, read_log
from tests.acceptance.cluster.episode import service_of
from tests.store.postgres_schemas import schemas, unsound
from tests.waiting import until
from wfx.demo.local import LocalService
from wfx_loadtest.wire import Answer

RACERS = 40
ENDS = ("DONE", "FAILED")
WORKFLOW = {
    "name": "race",
    "states": [{"name": name} for name in ("READY", "BUSY", *ENDS)],
    "transitions": [
        {"from": one, "to": other, "eligible": "CLIENT"}
        for one, other in (("READY", "BUSY"), *(("BUSY", end) for end in ENDS))
    ],
}  # fmt: skip


@pytest.fixture
def services(postgres: Postgres, database: str, tmp_path: Path) -> Iterator[Sequence[LocalService]]:
    """Two servers of one database, which is sound in the end."""
    option = schemas(postgres, database)(tmp_path)
    both = [service_of(tmp_path / f"server-{number}", option) for number in range(2)]
    with both[0], both[1]:
        yield both
    assert asyncio.run(unsound(option)) == []


async def race(services: Sequence[LocalService], wishes: Sequence[str]) -> tuple[Sequence[Answer], str]:
    """Create a job, and let everybody report on it at once, by turns to each server; return answers and id."""
    north, south = Side(services[0].ports["north"]), Side(services[0].ports["south"])
    await north.ask("POST", "/workflows", WORKFLOW)
    created = await north.ask("POST", "/jobs", {"clientId": "c", "workflow": "race"})
    job = json.loads(created.body)["id"]
    await south.ask("PUT", f"/jobs/{job}/status", {"state": "BUSY"})
    racers = [Side(services[number % 2].ports["south"]) for number in range(len(wishes))]
    answers = await asyncio.gather(
        *(
            racer.ask("PUT", f"/jobs/{job}/status", {"state": state, "message": f"racer {number}"})
            for number, (racer, state) in enumerate(zip(racers, wishes, strict=True))
        )
    )
    for side in (north, south, *racers):
        side.close()
    return answers, job


async def shown(services: Sequence[LocalService], count: int) -> tuple[list[Document], Document]:
    """Return events and the one job, after proof that both servers show the same, in the log and in streams."""
    logs = [await read_log(service.north) for service in services]
    assert logs[0] == logs[1]
    assert [number for number, _ in logs[0]] == list(range(2, count + 2)), "the first is the workflow's"
    followers = [Follower(service.ports["south"], by_header=True) for service in services]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follower.run()) for follower in followers]
        await until(lambda: all(len(each.source.events) >= count for each in followers), "all events at both")
        for task in tasks:
            task.cancel()
    assert followers[0].source.events == followers[1].source.events
    assert [event for _, event in followers[0].source.events] == [event for _, event in logs[0]]
    jobs = [await read_jobs(service.north, await list_jobs(service.north)) for service in services]
    assert jobs[0] == jobs[1]
    events = [event for _, event in logs[0]]
    assert compare(events, jobs[0]) == []
    return events, next(iter(jobs[0].values()))


async def test_racing_reports(services: Sequence[LocalService]) -> None:
    """Row 49: of 40 reports on one job that come to two servers together each is taken, and stands once in its history.

    Both servers and their streams show one and the same order.
    """
    answers, _ = await race(services, ["BUSY"] * RACERS)
    assert [answer.status for answer in answers] == [200] * RACERS
    events, job = await shown(services, RACERS + 2)
    told = [event["job"]["status"]["message"] for event in events[2:]]
    assert sorted(told) == sorted(f"racer {number}" for number in range(RACERS))
    assert len(job["history"]) == RACERS + 1


async def test_racing_ends(services: Sequence[LocalService]) -> None:
    """Row 49: when 40 devices end one job in two ways at two servers, one way wins; who wants the other is told why."""
    wishes = [ENDS[number // 2 % 2] for number in range(RACERS)]
    answers, _ = await race(services, wishes)
    _, job = await shown(services, RACERS // 2 + 2)
    won, lost = job["status"]["state"], ENDS[job["status"]["state"] == ENDS[0]]
    for answer, wish in zip(answers, wishes, strict=True):
        assert answer.status == (200 if wish == won else 400)
        if wish == lost:
            message = json.loads(answer.body)["errors"][0]["message"]
            assert won in message
            assert lost in message
    assert [entry["status"]["state"] for entry in job["history"]] == [won] * (RACERS // 2 - 1) + ["BUSY", "READY"]
