"""Two services on one PostgreSQL, while devices report to both and clients follow both."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.acceptance.streams.following import Follower
from tests.acceptance.streams.writing import (
    WORKFLOW,
    Device,
    create_job,
    devices,
    operator,
    read_log,
    report,
    store_workflow,
)
from tests.store.postgres.patience import until
from tests.store.postgres_schemas import schemas, unsound
from wfx.demo.local import LocalService


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that the tests may stop, and start again."""
    with Postgres() as running:
        yield running


@pytest.fixture(scope="module")
def option(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The storage option of a database, which is sound in the end."""
    with server.database() as database:
        option = schemas(server, database)(tmp_path_factory.mktemp("schema"))
        yield option
        findings = [each for each in asyncio.run(unsound(option)) if each != "writers that are gone"]
        assert findings == [], "a killed service leaves its row in the table of writers, and nothing else"


@pytest.fixture(scope="module")
def services(option: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LocalService]]:
    """Two services on the database, with the workflow, which the tests leave at work."""
    with ExitStack() as stack:
        both = []
        for name in ("first", "second"):
            service = LocalService(tmp_path_factory.mktemp(name), "--storage=postgres", f"--storage-opt={option}")
            both.append(stack.enter_context(service))
        store_workflow(both[0])
        yield both


def _followers(services: list[LocalService]) -> list[Follower]:
    return [Follower(lambda service=service: service.ports["south"], "since=0") for service in services]  # type: ignore[misc]


async def _check(services: list[LocalService], followers: list[Follower], reporting: list[Device]) -> None:
    """Prove by the devices' own records that nothing confirmed is lost, and that both streams are the whole log."""
    log = await asyncio.to_thread(read_log, services[1])
    head = int(log[-1][0].rpartition("-")[2])
    for follower in followers:
        await follower.has(lambda follower=follower: bool(follower.numbers) and follower.numbers[-1] >= head)  # type: ignore[misc]
        assert follower.numbers == list(range(2, head + 1)), "all but the creation of the workflow"
        assert [ident.decode() for ident, _ in follower.events] == [ident for ident, _ in log]
    assert followers[0].events == followers[1].events
    for device in reporting:
        events = [data for _, data in followers[0].events if device.job.encode() in data]
        told = [_message(data) for data in events if b'"message"' in data]
        assert told == sorted(set(told)), "each once, in the order of the device"
        assert set(device.acknowledged) <= set(told) <= {*device.acknowledged, *device.unknown}
        with operator(services[0]) as client:
            found = client.get(f"/jobs/{device.job}", params={"history": "true"}).json()
        assert len(found["history"]) == len(told)
    for follower in followers:
        await follower.leave()


def _message(data: bytes) -> int:
    (line,) = (line for line in data.split(b"\n") if line.startswith(b"data: "))
    return int(json.loads(line[6:])["job"]["status"]["message"])


async def test_both_services_show_what_devices_report_to_either(services: list[LocalService]) -> None:
    """Devices report to two services, some of them on the same jobs; both show the same, in the same order."""
    followers = _followers(services)
    reporting = devices(services[0], 4) + devices(services[1], 4)
    for number, device in enumerate(reporting):
        device.service = services[number % 2]
    await report(reporting, 30)
    await _check(services, followers, reporting)


async def test_a_killed_service_holds_up_nobody(services: list[LocalService]) -> None:
    """One of two services is killed and comes back under load: the other goes on, and nothing confirmed is lost."""
    followers = _followers(services)
    reporting = devices(services[0], 3) + devices(services[1], 3)
    for number, device in enumerate(reporting):
        device.service = services[number % 2]
    load = asyncio.create_task(report(reporting, 60))
    for count in (15, 30):
        await _acknowledged(reporting, count)
        services[0].stop(signal.SIGKILL)
        await asyncio.to_thread(services[0].start)
    await load
    await _check(services, followers, reporting)


async def test_postgresql_restarts_under_load(services: list[LocalService], server: Postgres) -> None:
    """PostgreSQL breaks down and comes back under load: services and streams go on, and nothing confirmed is lost."""
    followers = _followers(services)
    reporting = devices(services[0], 3) + devices(services[1], 3)
    for number, device in enumerate(reporting):
        device.service = services[number % 2]
    load = asyncio.create_task(report(reporting, 60))
    for count in (15, 30):
        await _acknowledged(reporting, count)
        await asyncio.to_thread(server.restart, "immediate")
    await load
    await _check(services, followers, reporting)
    assert [follower.connections for follower in followers] == [1, 1], "streams stay open"


async def _acknowledged(reporting: list[Device], count: int) -> None:
    async def have_all() -> bool:
        return all(len(device.acknowledged) >= count for device in reporting)

    await until(have_all)


def test_a_postgresql_that_is_down_is_told(services: list[LocalService], server: Postgres) -> None:
    """While PostgreSQL is down requests get 503 with Retry-After, and probes tell; afterwards all is as before."""
    service, job = services[0], create_job(services[0], "device")
    server.stop("immediate")
    with operator(service) as client:
        for answer in (
            client.get(f"/jobs/{job}"),
            client.get("/jobs", params={"group": "OPEN"}),
            client.get("/workflows"),
            client.post("/jobs", json={"clientId": "c", "workflow": WORKFLOW}),
            client.delete(f"/jobs/{job}"),
        ):
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "wfx.storeUnavailable")
            assert int(answer.headers["retry-after"]) > 0
        eventually(lambda: httpx.get(f"{service.north}/readyz", timeout=30).status_code == 503, "it is not ready")
        assert httpx.get(f"{service.north}/health", timeout=30).json()["status"] == "down"
        assert httpx.get(f"{service.north}/healthz", timeout=30).status_code == 200
        server.start()
        eventually(lambda: httpx.get(f"{service.north}/readyz", timeout=30).status_code == 200, "it is ready")
        assert client.get(f"/jobs/{job}").status_code == 200
