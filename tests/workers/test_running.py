"""Worker processes at work: they serve on the same addresses as one service, and none of them is missed for long."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.store.postgres_schemas import schemas
from tests.workers.service import BASE, WORKFLOW, WorkerService, answer_of, ask, running


@pytest.fixture(scope="module")
def service(postgres: Postgres, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerService]:
    """A service of two workers, which tests share: those who kill a worker wait for the next one."""
    folder = tmp_path_factory.mktemp("workers")
    with running(folder, schemas(postgres, database)(folder)) as started:
        with started.client() as client:
            client.post(f"{BASE}/workflows", json=WORKFLOW).raise_for_status()
        yield started


def north(service: WorkerService) -> int:
    """The port of operators."""
    return service.local.ports["north"]


def test_all_serve(service: WorkerService) -> None:
    """Each worker answers on the same port, and a scrape shows what all of them have counted, wherever it lands."""
    before = sum(version_requests(service).values())
    for _ in range(60):
        assert answer_of(ask(north(service))).startswith(b"HTTP/1.1 200 ")
    counts = [version_requests(service) for _ in range(8)]
    assert {tuple(each) for each in counts} == {(1, 2)}
    assert all(sum(each.values()) == before + 60 for each in counts)
    assert all(each > 0 for each in counts[0].values())


def version_requests(service: WorkerService) -> dict[int, float]:
    """How many requests of /version each worker has counted."""
    return service.samples("wfx_http_requests_total", 'route="/version"')


def test_log(service: WorkerService) -> None:
    """Records of workers say which one it was; those of the parent have no number."""
    for number in (1, 2):
        assert service.logged("storage is open", worker=number) >= 1
    (starts,) = [each for each in service.records if each["message"] == "wfx starts worker processes"]
    assert starts["workers"] == 2
    assert "worker" not in starts


def test_killed_worker(service: WorkerService) -> None:
    """Requests that wait for a worker when it is killed are answered by the one that is started in its place."""
    starts = service.starts(1)
    worker = service.workers()[1]
    worker.suspend()
    waiting = [ask(north(service)) for _ in range(40)]
    worker.kill()
    assert all(answer_of(each).startswith(b"HTTP/1.1 200 ") for each in waiting)
    service.await_starts(1, starts + 1)
    assert version_requests(service)[1] > 0
    assert service.logged("a worker has ended, and is started again", worker=1, reason="SIGKILL") >= 1


def test_hung_worker(service: WorkerService) -> None:
    """A worker that hangs is killed, and requests that waited for it are answered."""
    worker = service.workers()[2]
    worker.suspend()
    waiting = [ask(north(service)) for _ in range(40)]
    assert all(answer_of(each).startswith(b"HTTP/1.1 200 ") for each in waiting)
    assert service.logged("a worker gives no sign of life, and is killed", worker=2, pid=worker.pid) == 1
    assert worker.pid not in {each.pid for each in service.workers().values()}


def test_worker_asked_to_end(service: WorkerService) -> None:
    """A worker that is sent SIGTERM ends in order, and another takes its place: so they can be renewed one by one."""
    starts = service.starts(1)
    service.workers()[1].terminate()
    service.await_starts(1, starts + 1)
    assert service.logged("a worker has ended, and is started again", worker=1, reason="exit code 0") >= 1


def test_reload(service: WorkerService) -> None:
    """SIGHUP has all workers read the configuration again."""
    before = [service.logged("configuration reloaded", worker=number) for number in (1, 2)]
    service.parent.send_signal(signal.SIGHUP)
    for number, count in zip((1, 2), before, strict=True):
        eventually(lambda n=number, c=count: service.logged("configuration reloaded", worker=n) > c, "it reloads")  # type: ignore[misc]


def test_streams(service: WorkerService) -> None:
    """Streams of all workers show the same events, whichever worker made the changes."""
    with ExitStack() as stack:
        client = stack.enter_context(service.client())
        streams = []
        subscribers: dict[int, float] = {}
        while len(subscribers) < 2 or not all(subscribers.values()):
            streams.append(stack.enter_context(client.stream("GET", f"{BASE}/jobs/events")))
            subscribers = service.samples("wfx_event_subscribers")
        made = [client.post(f"{BASE}/jobs", json={"clientId": "c", "workflow": "w"}).json()["id"] for _ in range(12)]
        shown = []
        for stream in streams:
            seen: list[str] = []
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    seen.append(json.loads(line[5:])["job"]["id"])
                if len(seen) == len(made):
                    break
            shown.append(seen)
    assert all(seen == made for seen in shown)


def test_taken_port(service: WorkerService, option: str, tmp_path: Path) -> None:
    """A second service on the same port is refused, though the workers of one share it."""
    command = [
        sys.executable, "-m", "wfx", "--workers=2", "--storage=postgres", f"--storage-opt={option}",
        "--client-host=127.0.0.1", "--client-port=0", f"--mgmt-port={north(service)}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Error: cannot listen on 127.0.0.1:{north(service)} (north side): Address already in use\n"
