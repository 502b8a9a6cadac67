"""Every subscriber gets every event: once, in order, with nothing missing. Rows are those of docs/robustness.md."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from pathlib import Path

from left_behind import environment, look

from tests.acceptance.streams.conftest import Start
from tests.acceptance.streams.following import Follower
from tests.acceptance.streams.writing import Device, devices, operator, read_log, report
from wfx.demo.local import LocalService
from wfx_loadtest.wire import WireError

SUBSCRIBERS = 50
UPDATES = 2000
WRITERS = 8
PAUSE_SECONDS = float(os.environ.get("WFX_TEST_PAUSE", "3"))
"""How long a reader stops reading; set it to 10 or more to try harder."""
SMALL_BUFFER = 4096
FILLING = 3000
"""Bytes by which an event is larger than it would be."""


def follow(service: LocalService, query: str = "since=now", **options: int) -> Follower:
    """Follow the northbound side."""
    return Follower(lambda: service.ports["north"], query, **options)  # type: ignore[arg-type]  # flags and sizes


def check_log(service: LocalService, reporting: list[Device]) -> list[tuple[bytes, dict[str, object]]]:
    """Check that the log counts without gaps and holds what was acknowledged, in the order of each device.

    Its first event is the one of the workflow, which is not shown. Returns the log.
    """
    log = read_log(service)
    assert [int(ident.rpartition("-")[2]) for ident, _ in log] == list(range(2, len(log) + 2))
    for device in reporting:
        messages = [
            int(event["job"]["status"]["message"])
            for _, event in log
            if event["action"] == "UPDATE_STATUS" and event["job"]["id"] == device.job
        ]
        assert messages == sorted(set(messages))
        assert set(device.acknowledged) <= set(messages) <= set(device.acknowledged) | set(device.unknown)
    return [(ident.encode(), event) for ident, event in log]


def decoded(follower: Follower) -> list[tuple[bytes, dict[str, object]]]:
    """Give the events of a follower as those of the log."""
    return [(ident, json.loads(data.removeprefix(b"data: "))) for ident, data in follower.events]


async def leave(followers: list[Follower]) -> None:
    """Let all followers go away."""
    await asyncio.gather(*(follower.leave() for follower in followers))


async def test_every_subscriber_gets_every_event(service: LocalService) -> None:
    """Fifty subscribers get all of 2,000 updates by eight writers at once: 100,000 of 100,000, in order. Row 12."""
    reporting = devices(service, WRITERS)
    followers = [follow(service) for _ in range(SUBSCRIBERS)]
    for follower in followers:
        await follower.begins()
    await report(reporting, UPDATES // WRITERS)
    for follower in followers:
        await follower.has_events(UPDATES)
    log = check_log(service, reporting)
    assert decoded(followers[0]) == log[WRITERS:]
    assert followers[0].numbers == list(range(WRITERS + 2, WRITERS + UPDATES + 2))
    assert all(follower.events == followers[0].events for follower in followers)
    assert sum(len(follower.events) for follower in followers) == SUBSCRIBERS * UPDATES
    await leave(followers)


async def test_a_reader_that_pauses_gets_everything_too(start: Start, tmp_path: Path) -> None:
    """A reader that stops reading for seconds holds up nobody, costs little, and gets all it missed. Row 13."""
    service = start(**environment(tmp_path))
    reporting = devices(service, WRITERS, filling="x" * FILLING)
    pausing = follow(service, receive_buffer=SMALL_BUFFER)
    others = [follow(service) for _ in range(10)]
    for follower in (pausing, *others):
        await follower.begins()
    before = look(tmp_path)
    pausing.pause()
    pause = asyncio.create_task(asyncio.sleep(PAUSE_SECONDS))
    await report(reporting, UPDATES // WRITERS)
    for follower in others:
        await follower.has_events(UPDATES)
    await pause
    assert len(pausing.events) < UPDATES
    meanwhile, told = look(tmp_path), UPDATES * FILLING
    assert meanwhile.bytes - before.bytes < 5 * told, "much less than a copy for each of eleven readers"
    pausing.go_on()
    await pausing.has_events(UPDATES)
    assert meanwhile.bytes - look(tmp_path).bytes < told / 4, "little was kept for the one"
    assert pausing.events == others[0].events
    assert decoded(pausing) == check_log(service, reporting)[WRITERS:]
    await leave([pausing, *others])
    assert pausing.connections == 1


async def test_a_reader_that_never_reads_is_closed_and_can_resume(start: Start) -> None:
    """A reader that does not read for the grace interval is closed and logged; it resumes without loss. Row 14."""
    service = start("--sse-grace-interval=3s")
    (device,) = devices(service, 1, filling="x" * 900_000)
    stuck, well = follow(service, "since=0", receive_buffer=SMALL_BUFFER), follow(service, "since=0")
    await stuck.begins()
    await well.begins()
    stuck.pause()
    await device.report(12)
    await well.has_events(13)
    async with asyncio.timeout(60):
        while not any("did not read for 3 s" in line for line in service.lines):  # noqa: ASYNC110  # a log has no event
            await asyncio.sleep(0.05)
    stuck.go_on()
    await stuck.has_events(13)
    assert stuck.events == well.events
    await leave([stuck, well])
    assert stuck.connections > 1
    assert well.connections == 1


async def test_subscribers_that_join_and_leave_get_their_part(start: Start) -> None:
    """Whoever joins, leaves, filters and comes back all the time gets exactly the events meant for him. Row 12."""
    service = start()
    reporting = devices(service, WRITERS)
    chance = random.Random(12)
    steady = follow(service, "since=0")
    comers = [
        follow(
            service,
            f"since=0&jobIds={chance.choice(reporting).job}" if number % 2 else "since=0",
            resume_by_query=bool(number % 3),
        )
        for number in range(12)
    ]
    writing = asyncio.create_task(report(reporting, UPDATES // WRITERS // 2))
    passing: list[Follower] = []
    while not writing.done():
        for comer in chance.sample(comers, 4):
            comer.cut()
        passing.append(follow(service, "since=0"))
        if len(passing) > 5:
            await passing.pop(0).leave()
        await asyncio.sleep(0.02)
    await writing
    log = check_log(service, reporting)
    await steady.has_events(len(log))
    assert decoded(steady) == log
    for comer in comers:
        job = re.search("jobIds=(.*)", comer._query)
        meant = [pair for pair in steady.events if not job or b'"id":"%b"' % job[1].encode() in pair[1]]
        await comer.has_events(len(meant))
        assert comer.events == meant
    for follower in passing:
        assert follower.events == steady.events[: len(follower.events)]
    await leave([steady, *comers, *passing])
    assert max(comer.connections for comer in comers) > 3


async def test_refused_changes_leave_no_trace_on_the_log(service: LocalService) -> None:
    """A refused or malformed change is no event and burns no number, however many there are in between. Row 19."""
    (device,) = devices(service, 1)
    follower = follow(service, "since=0")
    with operator(service) as client:
        for _ in range(10):
            assert await device.put({}, state="NOWHERE") == 400
            assert await device.put({"progress": "much"}) == 400
            assert client.post("/jobs", json={"clientId": "x", "workflow": "none"}).status_code == 400
            assert client.delete("/jobs/none").status_code == 404
            await device.report(1)
    await follower.has_events(11)
    assert follower.numbers == list(range(2, 13))
    check_log(service, [device])
    await device.close()
    await follower.leave()


async def test_an_event_is_not_told_before_its_change_can_be_read(start: Start) -> None:
    """Whoever is told of an event and reads the job at once finds the change made. Row 19."""
    service = start()
    (device,) = devices(service, 1)
    follower = follow(service)
    await follower.begins()
    writing = asyncio.create_task(device.report(100))
    with operator(service) as client:
        for number in range(1, 101):
            await follower.has_events(number)
            told = json.loads(follower.events[-1][1].removeprefix(b"data: "))
            found = await asyncio.to_thread(client.get, f"/jobs/{device.job}/status")
            assert int(found.json()["message"]) >= int(told["job"]["status"]["message"])
    await writing
    await follower.leave()


async def test_a_reader_whom_nothing_concerns_is_told_how_far_the_log_is(start: Start) -> None:
    """The position of a reader whose filter lets nothing pass advances, so that it does not fall behind. Row 18."""
    service = start("--sse-ping-interval=200ms")
    (device,) = devices(service, 1)
    follower = follow(service, "since=0&jobIds=another")
    await follower.begins()
    await device.report(20)
    await follower.has(lambda: follower.last_id.endswith(b"-22"))
    assert not follower.events
    await follower.leave()


async def test_an_answer_lost_on_the_way_does_not_lose_the_event(start: Start) -> None:
    """A device that goes away before it is answered finds its change on the log at most once. Row 19."""
    service = start()
    (device,) = devices(service, 1)
    for number in range(20):
        attempt = asyncio.create_task(device.put({"message": str(1000 + number)}))
        await asyncio.sleep(0.001)
        attempt.cancel()
        result = await asyncio.gather(attempt, return_exceptions=True)
        assert isinstance(result[0], int | WireError | asyncio.CancelledError)
    assert await device.put({"message": "9999"}) == 200
    messages = [event["job"]["status"]["message"] for _, event in read_log(service)[1:]]
    assert len(messages) == len(set(messages))
    assert messages.count("9999") == 1
    await device.close()
