"""The example device goes on whatever happens to the service, and ends jobs as a device should."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from wfx import spec_files
from wfx.demo import connection
from wfx.demo.connection import Connection, NotFound, Refused
from wfx.demo.device import Device
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
DEADLINE = 60.0
DIRECT, PHASED = "wfx.workflow.dau.direct", "wfx.workflow.dau.phased"
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"state":1}\n'
BUSY = b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n%s\r\nbusy"


class Restarting:
    """A service, what operators do there, and the pauses of devices, in which it is started again if it is down."""

    def __init__(self, folder: Path) -> None:
        """Start the service with the bundled workflows."""
        self.service = LocalService(folder).start()
        self.pauses: list[float] = []
        for name in (DIRECT, PHASED):
            self.ask("POST", "/workflows", yaml.safe_load(spec_files.find(f"workflows/{name}.yml").read_bytes()))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management side."""
        with httpx.Client(base_url=self.service.north + BASE, trust_env=False, timeout=30) as client:
            answer = client.request(method, path, json=body).raise_for_status()
            return answer.json() if answer.content else None

    def create(self, workflow: str = DIRECT, definition: object = None) -> str:
        """Create a job for the device."""
        request = {"clientId": "dev", "workflow": workflow, "definition": definition or {}}
        return str(self.ask("POST", "/jobs", request)["id"])

    def pause(self, seconds: float) -> None:
        """Count instead of waiting, and do what is due: at the second pause of an outage it is over."""
        self.pauses.append(seconds)
        assert len(self.pauses) < 1_000, "the device does not get on"
        assert self.service.process is not None
        if self.service.process.poll() is not None and len(self.pauses) % 2 == 0:
            self.service.start()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Restarting]:
    """A service that is stopped in the end."""
    world = Restarting(tmp_path)
    yield world
    if world.service.process is not None and world.service.process.poll() is None:
        world.service.stop()


def device(world: Restarting, kind: type[Device] = Device) -> closing[Device]:
    """The device, which waits by means of the world."""
    return closing(kind(world.service.south + BASE, "dev", poll_seconds=1.0, pause=world.pause))


def test_a_service_that_is_stopped_and_started(world: Restarting) -> None:
    """While the service is down the device waits, and then takes its job to the end."""

    class Interrupted(Device):
        def _install(self) -> Iterator[int]:
            for percent in (1, 50, 100):
                world.service.stop()
                yield percent

    job = world.create()
    world.service.stop()
    with device(world, Interrupted) as dev:
        assert dev.run_next() == "ACTIVATED"
    assert len(world.pauses) >= 8
    assert world.ask("GET", f"/jobs/{job}/status")["state"] == "ACTIVATED"


def test_the_program_outlives_the_service(tmp_path: Path) -> None:
    """Started before the service, the program says that it waits, without a traceback, and does its job afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "wfx.demo.device", "--url", f"http://127.0.0.1:{port}{BASE}", "--client-id", "dev",
               "--poll-seconds", "0.1"]  # fmt: skip
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    try:
        assert "; again in " in program.stderr.readline()
        service = LocalService(tmp_path)
        service.ports["south"] = port
        with service, httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=30) as north:
            workflow = yaml.safe_load(spec_files.find(f"workflows/{DIRECT}.yml").read_bytes())
            north.post("/workflows", json=workflow).raise_for_status()
            north.post("/jobs", json={"clientId": "dev", "workflow": DIRECT}).raise_for_status()
            said = ""
            while "the job ended as ACTIVATED" not in said:
                said = program.stderr.readline()
                assert said, "the program ended"
                assert "Traceback" not in said
    finally:
        program.terminate()
        program.communicate(timeout=DEADLINE)


def test_a_deleted_job(world: Restarting) -> None:
    """A job that is deleted while the device works on it is dropped, and the next one is taken up."""
    jobs = [world.create()]

    class Forgotten(Device):
        def _install(self) -> Iterator[int]:
            if len(jobs) == 1:
                world.ask("DELETE", f"/jobs/{jobs[0]}")
                jobs.append(world.create())
            yield 100

    with device(world, Forgotten) as dev:
        assert dev.run_next() == "ACTIVATED"
    assert world.ask("GET", f"/jobs/{jobs[1]}/status")["state"] == "ACTIVATED"


def test_a_report_that_is_refused(world: Restarting) -> None:
    """If an operator has ended the job meanwhile, the device takes note, and reports nothing else."""

    class Stopped(Device):
        def _install(self) -> Iterator[int]:
            world.ask("PUT", f"/jobs/{job}/status", {"state": "TERMINATED", "message": "no more"})
            yield 100

    direct = yaml.safe_load(spec_files.find(f"workflows/{DIRECT}.yml").read_bytes())
    direct["name"] = "stoppable"
    direct["transitions"].append({"from": "INSTALLING", "to": "TERMINATED", "eligible": "WFX"})
    world.ask("POST", "/workflows", direct)
    job = world.create("stoppable")
    with device(world, Stopped) as dev:
        assert dev.run_next() == "TERMINATED"
    assert world.ask("GET", f"/jobs/{job}/status")["message"] == "no more"


def test_a_report_that_is_repeated(world: Restarting) -> None:
    """A report whose answer was lost, and which is refused the second time, does not end the job."""

    class Repeating(Device):
        def _report(self, job: dict[str, Any], state: str, *more: Any, **others: Any) -> None:
            super()._report(job, state, *more, **others)
            if state == "INSTALLED":
                super()._report(job, state, *more, **others)

    world.create()
    with device(world, Repeating) as dev:
        assert dev.run_next() == "ACTIVATED"


def test_a_workflow_that_does_not_fit(world: Restarting) -> None:
    """A job that can neither be carried out nor ended is left alone for a while, not reported on without end."""
    states = [{"name": name} for name in ("INSTALL", "NEVER")]
    edges = [{"from": "INSTALL", "to": "NEVER", "eligible": "WFX"}]
    groups = [{"name": "OPEN", "states": ["INSTALL"]}]
    world.ask("POST", "/workflows", {"name": "unfit", "states": states, "transitions": edges, "groups": groups})
    world.create("unfit")

    class Enough(Exception):
        pass

    def pause(seconds: float) -> None:
        world.pauses.append(seconds)
        if len(world.pauses) == 3:
            raise Enough

    unfit = Device(world.service.south + BASE, "dev", poll_seconds=7.0, pause=pause)
    with closing(unfit), pytest.raises(Enough):
        unfit.run_next()
    assert world.pauses == [7.0] * 3


@pytest.mark.parametrize("definition", [{}, {"artifacts": 1}, {"artifacts": [{"url": "x"}]}])
def test_a_definition_that_is_no_use(world: Restarting, definition: object) -> None:
    """A job whose definition names no artifacts ends as TERMINATED, with the reason."""
    assert ended(world, definition).startswith("Error: the definition names no artifacts")


def ended(world: Restarting, definition: object) -> str:
    """Let the device take up a job that begins with a download; it fails, and says why."""
    job = world.create(PHASED, definition)
    world.ask("PUT", f"/jobs/{job}/status", {"state": "DOWNLOAD"})
    with device(world) as dev:
        assert dev.run_next() == "TERMINATED"
    return str(world.ask("GET", f"/jobs/{job}/status")["message"])


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "no-scheme", "ftp://x/y", "http://[broken"])
def test_an_artifact_that_cannot_be_had(world: Restarting, address: str) -> None:
    """An artifact that cannot be fetched ends the job as TERMINATED, after some attempts at most."""
    assert ended(world, {"artifacts": [{"uri": address}]}).startswith("Error: ")
    assert len(world.pauses) <= 9


FAULTS = {
    "closed": b"",
    "half a head": b"HTTP/1.1 200",
    "half a body": b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"state":',
    "half a text": b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"state":',
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "other JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a list": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    **{f"{status}": BUSY % (status, b"") for status in (401, 403, 408, 425, 429, 500, 502, 503, 504)},
}


class Scripted:
    """A server that gives one answer on each connection, and then closes it."""

    def __init__(self, *answers: bytes) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._answers = [said.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for said in answers]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._listener:
            for answer in self._answers:
                peer, _ = self._listener.accept()
                with peer, peer.makefile("rb") as request, suppress(ConnectionError):
                    length = 0
                    while (line := request.readline()) not in (b"\r\n", b""):
                        if line.lower().startswith(b"content-length:"):
                            length = int(line[15:])
                    request.read(length)  # a request that is not read to its end resets the connection
                    peer.sendall(answer)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_waited_out(fault: str) -> None:
    """Whatever comes instead of an answer, the device asks again, after a pause."""
    pauses: list[float] = []
    server = Scripted(FAULTS[fault], FAULTS[fault], OK)
    with closing(Connection(server.url, {}, pauses.append)) as asking:
        assert asking.ask("PUT", "/", "state", json={}) == 1
    assert len(pauses) == 2


@pytest.mark.parametrize(("said", "least", "most"), [
    (b"7", 7, 7), (b"0", 0.25, 0.5), (b"999999", 3_600, 3_600), (b"-5", 0.25, 0.5), (b"soon", 0.25, 0.5),
    (b"Wed, 21 Oct 2026 07:28:00 GMT", 0.25, 0.5), (b"\xb2", 0.25, 0.5),
])  # fmt: skip
def test_the_service_says_how_long(said: bytes, least: float, most: float) -> None:
    """The device waits as long as the service says, within an hour, and not shorter than without it."""
    pauses: list[float] = []
    server = Scripted(BUSY % (503, b"Retry-After: " + said + b"\r\n"), OK)
    with closing(Connection(server.url, {}, pauses.append)) as asking:
        asking.ask("GET", "/", "state")
    assert least <= pauses[0] <= most


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (404, NotFound), (405, Refused), (413, Refused)])
def test_a_lasting_no(status: int, kind: type[Refused]) -> None:
    """What asking again will not change is told at once."""
    pauses: list[float] = []
    server = Scripted(BUSY % (status, b""))
    with closing(Connection(server.url, {}, pauses.append)) as asking, pytest.raises(Refused) as refused:
        asking.ask("GET", "/", "state")
    assert type(refused.value) is kind
    assert str(refused.value) == f"{status} busy"
    assert pauses == []


def test_pauses_grow_and_differ() -> None:
    """Pauses double up to a minute, and each is between half of that and all of it, by chance."""
    random.seed(1)
    for attempt, longest in enumerate([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]):
        pauses = [connection.backoff(attempt) for _ in range(100)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
        assert len(set(pauses)) > 50
    assert connection.backoff(10**9) <= 60


def test_jobs_that_may_not_be_asked_for() -> None:
    """If the service does not know the question, the device goes on asking, at its usual pace."""
    none = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"content":[]}'
    server = Scripted(BUSY % (404, b""), none, none)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    with closing(Device(server.url, "dev", poll_seconds=7.0, pause=pause)) as dev, pytest.raises(KeyboardInterrupt):
        dev.run_next()
    assert pauses == [7.0] * 3
