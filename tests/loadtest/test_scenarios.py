from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from tests.loadtest.stub import BASE, Stub
from tests.waiting import until
from wfx.demo.local import LocalService
from wfx_loadtest import direct, ramp
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.facts import Fact
from wfx_loadtest.result import Result
from wfx_loadtest.run import execute
from wfx_loadtest.scenario import fleet
from wfx_loadtest.scenario.device import Device, Progress
from wfx_loadtest.scenario.listening import new_ledger
from wfx_loadtest.scenario.registry import Registry
from wfx_loadtest.session import opened
from wfx_loadtest.settings import Settings


@pytest.fixture
def settings(wfx_service: LocalService) -> Settings:
    """Two seconds of load on the real service."""
    return Settings(
        client_host="127.0.0.1",
        client_port=wfx_service.ports["south"],
        mgmt_host="127.0.0.1",
        mgmt_port=wfx_service.ports["north"],
        duration=2 * SECOND,
    )


def _members(result: Result, title: str) -> dict[str, int]:
    fact: Fact = next(fact for fact in result.facts if fact.title == title)
    return {name: int(value) for name, value in zip(fact.members, fact.values, strict=True)}


async def test_the_default_mix_succeeds_throughout(settings: Settings) -> None:
    """At the default rates for two seconds the real service answers 200 requests, almost all writes being updates."""
    result = await execute(settings)
    assert result.metrics.requests == 200
    assert result.metrics.success == 1.0
    assert result.metrics.codes[200] + result.metrics.codes[201] == 200
    assert 1 <= result.metrics.codes[201] <= 50
    assert (result.facts, result.interrupted) == ([], False)


async def test_every_subscriber_hears_of_every_write(settings: Settings) -> None:
    """In the scenario events each confirmed write arrives once, in order, at each of the subscribers."""
    result = await execute(replace(settings, scenario="events", subscribers=5, write_freq=50))
    assert result.metrics.requests == 100
    assert result.metrics.success == 1.0
    assert _members(result, "Deliveries") == {
        "expected": 500,
        "delivered": 500,
        "missing": 0,
        "duplicate": 0,
        "out of order": 0,
        "unexpected": 0,
    }
    assert _members(result, "Streams") == {"opened": 5, "lost": 0}
    assert "Event deliveries" in {name for name, _, _ in result.metrics.timeline.series()}


async def test_a_fleet_finishes_its_jobs(settings: Settings) -> None:
    """In the scenario fleet every job that is created is finished, and each change is heard once by each subscriber."""
    result = await execute(
        replace(
            settings, scenario="fleet", devices=10, subscribers=3, write_freq=5, read_freq=10, poll_interval=SECOND // 5
        )
    )
    assert result.metrics.success == 1.0
    assert _members(result, "Jobs") == {"created": 10, "finished": 10, "open": 0}
    assert _members(result, "Devices") == {"polled": 10, "registered": 10, "missing": 0}
    deliveries = _members(result, "Deliveries")
    # At least 13 changes of each job: its creation and the fewest reports that a device makes.
    assert deliveries["expected"] >= 10 * 13 * 3
    assert deliveries["delivered"] == deliveries["expected"]
    assert (deliveries["duplicate"], deliveries["out of order"], deliveries["unexpected"]) == (0, 0, 0)
    names = {name for name, _, _ in result.metrics.timeline.series()}
    assert names == {
        "Devices: poll for jobs",
        "Devices: report progress",
        "Operators: create jobs",
        "Operators: list jobs",
        "Operators: list devices",
        "Operators: show a device",
        "Event deliveries",
    }


async def test_a_device_goes_the_way_of_the_real_one(settings: Settings, wfx_service: LocalService) -> None:
    """The history of a job shows the states and messages that the real device reports, in its order."""
    async with (
        httpx.AsyncClient(base_url=wfx_service.north + BASE) as api,
        opened(replace(settings, poll_interval=20 * MILLISECOND)) as session,
    ):
        await direct.ensure(session.north)
        created = (await api.post("/jobs", json={"clientId": "loadtest-one", "workflow": direct.NAME})).json()
        confirmed: list[str] = []
        progress = Progress(lambda job, _: confirmed.append(job))
        living = asyncio.create_task(Device(session, "loadtest-one", progress).live(session.clock.now()))
        await until(lambda: progress.finished)
        session.stop.set()
        await living
        job = (await api.get(f"/jobs/{created['id']}?history=True")).json()
    statuses = [entry["status"] for entry in reversed(job["history"])] + [job["status"]]
    overtaken = [status for status in statuses if status["state"] == "INSTALLED"]
    assert len(overtaken) == 1, "an immediate transition has led on from it; what it said stays in the history"
    assert len(confirmed) == len(statuses) - 1 - len(overtaken)
    seen = [(status["state"], status.get("message", "")) for status in statuses]
    assert seen[:2] == [("INSTALL", ""), ("INSTALLING", "Start INSTALL.")]
    messages = [message for _, message in seen[2:]]
    for said in (
        "Downloading artifact",
        "Installing artifact 1/1: 'payload.bin' with 'rawfile' ...",
        "Artifact 1/1 installation finished.",
        "Finished.",
    ):
        assert said in messages
    assert seen[-3:] == [
        ("ACTIVATE", ""),
        ("ACTIVATING", "Notifying Progress Client(s) to activate artifact."),
        ("ACTIVATED", "Finished Update."),
    ]
    assert session.metrics.success == 1.0


async def test_a_search_for_a_rate_shows_its_steps(settings: Settings) -> None:
    """The result of a search is the highest rate that was held, and every rate that was tried."""
    result = await execute(replace(settings, target=20 * MILLISECOND))
    highest, *steps = result.facts
    assert (highest.title, {step.title for step in steps}) == ("Highest rate", {"Step"})
    assert steps[0].values[0] == "100"
    assert len(steps) <= ramp.STEPS
    held = [int(step.values[0]) for step in steps if step.values[2] == "held"]
    assert highest.values[0] == (str(max(held)) if held else "none")


def test_orders_name_an_artifact_as_devices_expect_it() -> None:
    """A job of the fleet has version, type and artifacts in its definition."""
    assert fleet._order("dev", 3)["definition"] == {
        "version": "1.0",
        "type": ["application"],
        "artifacts": [{"name": "payload.bin", "version": "1.0", "uri": "http://localhost:8080/download/3.swu"}],
    }


async def test_a_service_without_a_registry_can_be_tested(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    """Where the fleet API is missing, a warning says so, operators list jobs only, and no devices are accounted for."""
    result = await execute(_fleet_at(stub, devices=2, read_freq=30))
    assert "/api/fleet/v1/devices: 404 Not Found; operators will list jobs only" in caplog.text
    assert len(stub.of("GET", "/devices")) == 1
    assert "Devices" not in {fact.title for fact in result.facts}
    assert "Operators: list jobs" in {name for name, _, _ in result.metrics.timeline.series()}


async def test_operators_walk_through_the_registry(stub: Stub) -> None:
    """Operators read page after page, then the first again, and one of the devices on the page after each."""
    pages = [{"content": [{"clientId": "a", "lastSeen": "x"}], "next": "2"}, {"content": [{"clientId": "b"}]}]
    stub.answers["GET", "devices"] = [(200, page) for page in pages * 2]
    async with opened(_fleet_at(stub, devices=1, read_freq=1)) as session:
        ledger = new_ledger(session, "x")
        operators = fleet.Operators(session, [], ledger, Registry(session, "x"))
        for _ in range(12):
            await operators._look(session.clock.now())
    read = [seen.path for seen in stub.of("GET", "/devices")]
    assert [path.split("after=")[1] for path in read] == ["", "2", "", "2"]
    shown = [seen.path for seen in stub.seen if seen.path.startswith("/api/fleet/v1/devices/")]
    assert shown == [f"/api/fleet/v1/devices/{name}" for name in "abab"]
    assert len(stub.of("GET", "/jobs")) == 4


async def test_devices_that_the_registry_has_not_seen_are_missing(stub: Stub) -> None:
    """A device that has polled and is not in the registry as seen is counted as missing."""
    never = {"content": [{"clientId": "somebody"}]}
    stub.answers["GET", "devices"] = [(200, never)] * 100
    async with opened(_fleet_at(stub, devices=1, read_freq=1)) as session:
        session.stop.set()
        (fact,) = await Registry(session, "x").audit({"somebody", "else"})
    assert dict(zip(fact.members, fact.values, strict=True)) == {"polled": "2", "registered": "0", "missing": "2"}


async def test_a_service_that_ended_under_the_load(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    """A run has its results though the registry cannot be asked at its end; a warning says that this is missing."""
    async with opened(_fleet_at(stub, devices=1, read_freq=1)) as session:
        stub.hang_up = True
        assert await Registry(session, "x").audit({"somebody"}) == []
    assert "it is not known which devices are registered" in caplog.text


def _fleet_at(stub: Stub, devices: int, read_freq: int) -> Settings:
    return Settings(
        client_host="127.0.0.1",
        client_port=stub.south_port,
        mgmt_host="127.0.0.1",
        mgmt_port=stub.north_port,
        duration=SECOND,
        scenario="fleet",
        devices=devices,
        read_freq=read_freq,
        write_freq=0,
        subscribers=0,
    )
