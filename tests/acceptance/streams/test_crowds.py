"""Many streams at once and what they cost. Rows are those of docs/robustness.md."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from left_behind import Left, environment, look

from tests.acceptance.streams.conftest import Start
from tests.acceptance.streams.test_deliveries import SMALL_BUFFER, follow, leave
from tests.acceptance.streams.writing import devices, operator
from tests.waiting import until
from wfx.demo.local import LocalService

IDLE = 1000
SLOW = 500
LARGEST = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """Allow as many open files as the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > IDLE + 200, "too few open files are allowed for this test"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def process_of(service: LocalService) -> psutil.Process:
    """Give the server's process."""
    assert service.process is not None
    return psutil.Process(service.process.pid)


async def settled(folder: Path) -> Left:
    """Return what is left once the requests have ended, later than their connections: nothing is there to collect."""
    found = [look(folder)]

    def is_settled() -> bool:
        found.append(look(folder))
        return found[-1].objects_in_cycles == 0

    await until(is_settled)
    return found[-1]


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
async def test_a_thousand_idle_streams_leave_nothing_behind(start: Start, tmp_path: Path, engine: str) -> None:
    """When a thousand idle streams close at once, the server's descriptors and objects are back, twice. Row 20."""
    service = start(f"--http-engine={engine}", **environment(tmp_path))
    process = process_of(service)
    (device,) = devices(service, 1)
    await device.report(1)
    after: list[Left] = []
    files = process.num_fds()
    for _ in range(2):
        followers = [follow(service, keep=False) for _ in range(IDLE)]
        for follower in followers:
            await follower.begins()
        assert process.num_fds() >= IDLE
        await device.report(1)
        for follower in followers:
            await follower.has_events(1)
        await leave(followers)
        await until(lambda: process.num_fds() <= files + 1)
        after.append(await settled(tmp_path))
    assert process.num_threads() < 20
    assert after[1].objects - after[0].objects < IDLE, "less than one object for each"
    assert after[1].bytes - after[0].bytes < 1_000_000
    with operator(service) as client:
        assert client.get("/jobs").status_code == 200


async def test_a_huge_event_to_hundreds_of_slow_readers(start: Start, tmp_path: Path) -> None:
    """One event of megabytes to 500 readers that do not read is not copied for each of them. Row 21."""
    service = start(**environment(tmp_path))
    slow = [follow(service, receive_buffer=SMALL_BUFFER, keep=False) for _ in range(SLOW)]
    well = follow(service)
    for follower in (*slow, well):
        await follower.begins()
    for follower in slow:
        follower.pause()
    (device,) = devices(service, 1, filling="x" * LARGEST)
    before = look(tmp_path)
    await device.report(1)
    await well.has_events(2)
    for _ in range(5):
        assert look(tmp_path).bytes - before.bytes < SLOW * LARGEST / 4, "a chunk and a send buffer for each"
    for follower in slow[:10]:
        follower.go_on()
    for follower in slow[:10]:
        await follower.has_events(2)
    await leave([*slow, well])
