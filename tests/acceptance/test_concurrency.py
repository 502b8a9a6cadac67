"""Many clients at once: nothing fails, nothing is lost, and there is one order of everything."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from history_check import Document, Outcome, compare, judge

from tests.acceptance.clients import (
    Follower,
    Recorder,
    Side,
    Writer,
    create_workflow,
    list_jobs,
    read_jobs,
    read_log,
    record_of,
)
from tests.waiting import until
from wfx.demo.local import LocalService
from wfx.store.opening import open_store

SEED = 1 if "CI" in os.environ else random.randrange(10**9)
CHANGES = 1500
"""By all clients together."""
RACERS = 40


async def versions(folder: Path, ids: list[str]) -> list[int]:
    """Read the jobs' versions from the file of a service that was stopped."""
    store = await open_store("sqlite", f"file:{folder / 'wfx.db'}?_fk=1&_journal=WAL")
    try:
        return [(await store.get_job(job)).version for job in ids]
    finally:
        await store.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize("clients", [16, 64])
async def test_writers(tmp_path: Path, clients: int, engine: str) -> None:
    """All that many clients write at once is confirmed, kept once, and on the log in the order of confirmation."""
    recorder = Recorder()
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        await create_workflow(service.north)
        writers = [Writer(f"w{n}", service.ports, recorder, SEED + n) for n in range(clients)]
        follower = Follower(service.ports["south"], by_header=True)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follower.run())
            await asyncio.gather(*(writer.run(lambda: recorder.acknowledged < CHANGES) for writer in writers))
            log = await read_log(service.north)
            await until(lambda: len(follower.source.events) >= len(log), "all events at the follower")
            following.cancel()
        jobs = await list_jobs(service.north)
        shown = await read_jobs(service.north, jobs)
        for writer in writers:
            writer.close()
    assert recorder.outcomes == {Outcome.ACKNOWLEDGED: recorder.acknowledged}, "nothing failed"
    assert len(log) == recorder.acknowledged >= CHANGES
    assert judge(record_of(recorder, log, [follower])) == [], f"seed {SEED}"
    assert compare([event for _, event in log], shown) == [], f"seed {SEED}"
    assert await versions(tmp_path, jobs) == [1 + len(shown[job].get("history", ())) for job in jobs]


@pytest.fixture(params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> LocalService:
    """A service that is not started yet."""
    return LocalService(tmp_path, f"--http-engine={request.param}")


async def race(service: LocalService, *, begin: str, wishes: list[tuple[str, str]]) -> tuple[Counter[int], Document]:
    """Create a job, bring it to a state, and let everybody update its status at once.

    Returns how often each status code was the answer, and the job with its history.
    """
    side_of = {name: Side(port) for name, port in service.ports.items()}
    states = [{"name": name} for name in ("READY", "BUSY", "DONE", "FAILED")]
    steps = [("READY", "BUSY"), ("BUSY", "DONE"), ("BUSY", "FAILED")]
    workflow = {
        "name": "race",
        "states": states,
        "transitions": [{"from": a, "to": b, "eligible": "CLIENT"} for a, b in steps],
    }
    await side_of["north"].ask("POST", "/workflows", workflow)
    await side_of["north"].ask("POST", "/jobs", {"clientId": "c", "workflow": "race"})
    (job,) = await list_jobs(service.north)
    await side_of["south"].ask("PUT", f"/jobs/{job}/status", {"state": begin})
    racers = [Side(service.ports[side]) for side, _ in wishes]
    answers = await asyncio.gather(
        *(
            racer.ask("PUT", f"/jobs/{job}/status", {"state": state, "message": f"racer {number}"})
            for number, (racer, (_, state)) in enumerate(zip(racers, wishes, strict=True))
        )
    )
    for side in (*side_of.values(), *racers):
        side.close()
    return Counter(answer.status for answer in answers), (await read_jobs(service.north, [job]))[job]


def course(job: Document) -> list[Document]:
    """All statuses of a job, oldest first."""
    return [*(entry["status"] for entry in reversed(job["history"])), job["status"]]


async def test_racing_reports(service: LocalService) -> None:
    """Of 40 reports on one job that arrive together from both sides, each is taken, and stands once in the history."""
    with service:
        sides = itertools.cycle(("north", "south"))
        codes, job = await race(service, begin="BUSY", wishes=[(next(sides), "BUSY") for _ in range(RACERS)])
        log = await read_log(service.north)
    assert codes == {200: RACERS}
    messages = [status["message"] for status in course(job)[2:]]
    assert sorted(messages) == sorted(f"racer {number}" for number in range(RACERS))
    assert compare([event for _, event in log], {job["id"]: job}) == []
    assert [number for number, _ in log] == list(range(2, RACERS + 4)), "the first is the workflow's"
    assert await versions(service.folder, [job["id"]]) == [RACERS + 2]


async def test_racing_ends(service: LocalService) -> None:
    """When 40 devices end one job in two ways, one way wins; who wants the other is told so, and nothing is mixed."""
    ends = itertools.cycle(("DONE", "FAILED"))
    with service:
        codes, job = await race(service, begin="BUSY", wishes=[("south", next(ends)) for _ in range(RACERS)])
        log = await read_log(service.north)
    assert codes == {200: RACERS // 2, 400: RACERS // 2}
    states = [status["state"] for status in course(job)]
    assert states == ["READY", "BUSY", *[states[-1]] * (RACERS // 2)]
    assert states[-1] in ("DONE", "FAILED")
    assert compare([event for _, event in log], {job["id"]: job}) == []
    assert len(log) == RACERS // 2 + 2
