"""Conversations of update clients as they were seen on the wire (device-swupdate.md), and the demo's own device."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.acceptance.device import BASE, DEADLINE, JSON, Device
from tests.waiting import eventually
from wfx import spec_files
from wfx.demo.local import LocalService

DIRECT, PHASED = "wfx.workflow.dau.direct", "wfx.workflow.dau.phased"
COPYING = "Copying artifact to TMPDIR=/tmp"
INSTALLING = "Installing artifact 1/1: 'payload.bin' with 'rawfile' ..."
NOTIFYING = "Notifying Progress Client(s) to activate artifact."
WAITING = "Update installed. Notifying Progress Client(s) to activate."
OCTETS = "application/octet-stream"


class Operator:
    """Creates jobs and looks at them."""

    def __init__(self, service: LocalService) -> None:
        """Store the workflows that devices know."""
        self._north = httpx.Client(base_url=service.north + BASE, timeout=DEADLINE, trust_env=False)
        for name in (DIRECT, PHASED):
            document = yaml.safe_load(spec_files.find(f"workflows/{name}.yml").read_bytes())
            self._north.post("/workflows", json=document).raise_for_status()

    def close(self) -> None:
        """Close the connection."""
        self._north.close()

    def start(self, client_id: str, workflow: str, kind: str = "application") -> str:
        """Create a job and return its id."""
        definition = {
            "version": "1",
            "type": [kind],
            "artifacts": [{"name": "payload.bin", "version": "1", "uri": "http://127.0.0.1/payload.bin"}],
        }
        request = {"clientId": client_id, "workflow": workflow, "definition": definition}
        job_id: str = self._north.post("/jobs", json=request).raise_for_status().json()["id"]
        return job_id

    def move(self, job: str, state: str) -> None:
        """Move a job, as operators do."""
        self._north.put(f"/jobs/{job}/status", json={"state": state}).raise_for_status()

    def delete(self, job: str) -> None:
        """Delete a job."""
        self._north.delete(f"/jobs/{job}").raise_for_status()

    def statuses(self, job: str) -> list[dict[str, Any]]:
        """All statuses of a job, oldest first."""
        shown = self._north.get(f"/jobs/{job}", params={"history": "true"}).raise_for_status().json()
        return [*(entry["status"] for entry in reversed(shown.get("history", ()))), shown["status"]]

    def course(self, job: str) -> list[tuple[str, int | None]]:
        """States and progress of a job, oldest first."""
        return [(status["state"], status.get("progress")) for status in self.statuses(job)]

    def state_of(self, job: str) -> str:
        """Where a job stands."""
        return str(self._north.get(f"/jobs/{job}/status").raise_for_status().json()["state"])


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service on each engine, patient with machines that are slower than any device."""
    folder = tmp_path_factory.mktemp("device")
    with LocalService(folder, f"--http-engine={request.param}", "--cleanup-timeout=60s") as running:
        yield running


@pytest.fixture(scope="module")
def operator(local: LocalService) -> Iterator[Operator]:
    """Somebody who creates jobs."""
    operator = Operator(local)
    yield operator
    operator.close()


@pytest.fixture
def device(local: LocalService, request: pytest.FixtureRequest) -> Iterator[Device]:
    """A device that has just started, named after the test."""
    device = Device(local.ports["south"], request.node.name.replace("[", ".").replace("]", ""))
    yield device
    device.close()


def install(device: Device, job: str, fetching: str = "Downloading artifact") -> None:
    """Report an installation from its start to the end, up to where the service sends the job on."""
    assert device.put(job, "INSTALLING", 0, "Start INSTALL.")["state"] == "INSTALLING"
    with device.progress_connection() as second:
        for progress in (12, 57, 100):
            assert device.put(job, "INSTALLING", progress, fetching, over=second)["progress"] == progress
        for progress in (1, 10, 20, 100):
            assert device.put(job, "INSTALLING", progress, INSTALLING, over=second)["progress"] == progress
    device.put(job, "INSTALLING", 100, "Artifact 1/1 installation finished.")
    device.put(job, "INSTALLING", 100, "Finished.")
    reply = device.put(job, "INSTALLED", 100, "Finished.")
    assert set(reply) == {"definitionHash", "state"}
    assert reply["state"] == "ACTIVATE"


def activate(device: Device, job: str) -> None:
    """Report an activation that needs no restart."""
    assert device.state_of(job) == "ACTIVATE"
    assert device.put(job, "ACTIVATING", 100, NOTIFYING)["state"] == "ACTIVATING"
    assert device.put(job, "ACTIVATED", 100, "Finished Update.")["state"] == "ACTIVATED"


INSTALLED = [("INSTALLING", progress) for progress in (0, 12, 57, 100, 1, 10, 20, 100, 100, 100)]
ACTIVATED = [("INSTALLED", 100), ("ACTIVATE", None), ("ACTIVATING", 100), ("ACTIVATED", 100)]


def test_direct(device: Device, operator: Operator) -> None:
    """A device takes two jobs of the direct workflow, one after the other, over one main connection."""
    assert device.poll() == []
    for _ in range(2):
        job = operator.start(device.client_id, DIRECT)
        (found,) = device.poll()
        assert (found["id"], found["status"]["state"]) == (job, "INSTALL")
        assert found["definition"]["type"] == ["application"]
        install(device, job)
        activate(device, job)
        assert device.state_of(job) == "ACTIVATED"
        assert device.poll() == [], "what is done is not open"
        assert operator.course(job) == [("INSTALL", None), *INSTALLED, *ACTIVATED], "progress may fall"


def test_phased(device: Device, operator: Operator) -> None:
    """Download and installation are started by the operator, while the device waits and asks."""
    job = operator.start(device.client_id, PHASED)
    assert device.poll() == [], "a fresh phased job is in no group"
    operator.move(job, "DOWNLOAD")
    (found,) = device.poll()
    assert found["status"]["state"] == "DOWNLOAD"
    device.put(job, "DOWNLOADING", 0, "Start DOWNLOAD.")
    with device.progress_connection() as second:
        for progress in (30, 60, 100):
            device.put(job, "DOWNLOADING", progress, "Downloading artifact", over=second)
    device.put(job, "DOWNLOADING", 100, "Artifact 1/1 download finished.")
    device.put(job, "DOWNLOADING", 100, "Finished.")
    assert device.put(job, "DOWNLOADED", 100, "Finished.")["state"] == "DOWNLOADED"
    assert [device.state_of(job) for _ in range(3)] == ["DOWNLOADED"] * 3
    operator.move(job, "INSTALL")
    assert device.state_of(job) == "INSTALL"
    install(device, job, COPYING)
    activate(device, job)
    downloaded = [("DOWNLOADING", progress) for progress in (0, 30, 60, 100, 100, 100)]
    assert operator.course(job) == [
        ("CREATED", None),
        ("DOWNLOAD", None),
        *downloaded,
        ("DOWNLOADED", 100),
        ("INSTALL", None),
        *INSTALLED,
        *ACTIVATED,
    ]


def test_artifact_missing(device: Device, operator: Operator) -> None:
    """A device that does not find its artifact on the service ends the job, and its log lines are kept."""
    job = operator.start(device.client_id, DIRECT)
    device.put(job, "INSTALLING", 0, "Start INSTALL.")
    head = device.ask("HEAD", "/download/payload.bin", OCTETS)
    assert head.status == 404
    assert device.ask("GET", "/download/payload.bin", OCTETS).status == 404
    with device.progress_connection() as second:
        device.put(job, "INSTALLING", 1, "Downloading artifact", over=second)
    lines = [
        '1: ERROR cpio_utils.c : get_cpiohdr : 58 : CPIO Format not recognized: "<html>\\n',
        "2: ERROR stream_interface.c : extract : 1 : Ünerwartetes Ende",
    ]
    reply = device.put(job, "TERMINATED", 100, "Error installing artifact 1/1.", lines=lines)
    assert (reply["state"], reply["message"]) == ("TERMINATED", "Error installing artifact 1/1.")
    assert operator.statuses(job)[-1]["context"] == {"lines": lines}
    assert device.poll() == []


def test_firmware(device: Device, local: LocalService, operator: Operator) -> None:
    """A device that needs a restart repeats one report until then, and finds its job ACTIVATING afterwards."""
    job = operator.start(device.client_id, DIRECT, "firmware")
    install(device, job)
    device.put(job, "ACTIVATING", 100, "Set persistent state marker to INSTALLED.")
    for _ in range(5):
        device.put(job, "ACTIVATING", 100, WAITING)
        assert device.state_of(job) == "ACTIVATING"
    device.close()
    restarted = Device(local.ports["south"], device.client_id)
    (found,) = restarted.poll()
    assert (found["id"], found["status"]["state"]) == (job, "ACTIVATING")
    done = f"Update activation SUCCESSFUL, finalizing job {job}."
    assert restarted.put(job, "ACTIVATED", 100, done)["message"] == done
    restarted.close()
    assert operator.course(job)[-7:] == [("ACTIVATING", 100)] * 6 + [("ACTIVATED", 100)]


def test_both_connections_at_once(device: Device, operator: Operator) -> None:
    """Reports of one job whose bodies are asked for on two connections at the same time are both taken."""
    job = operator.start(device.client_id, DIRECT)
    device.put(job, "INSTALLING", 0, "Start INSTALL.")
    with device.progress_connection() as second:
        for progress in range(1, 11):
            bodies = [
                (wire, device.announce(wire, job, "INSTALLING", progress, "at once")) for wire in (second, device.main)
            ]
            assert [device.complete(*pair)["progress"] for pair in bodies] == [progress] * 2
    assert len(operator.statuses(job)) == 22


def test_deleted_job(device: Device, operator: Operator) -> None:
    """A device whose job was deleted is told at each poll that it has ended, over the same connection."""
    job = operator.start(device.client_id, DIRECT)
    device.put(job, "INSTALLING", 0, "Start INSTALL.")
    operator.delete(job)
    for _ in range(8):
        answer = device.ask("GET", f"{BASE}/jobs/{job}")
        assert (answer.status, answer.headers["content-type"]) == (200, JSON)
        assert json.loads(answer.body)["status"]["state"] == "TERMINATED"
    assert device.poll() == []


def test_misspelt_path(device: Device, operator: Operator) -> None:
    """The path that devices ask for when a definition has changed is not there, and asking does no harm."""
    job = operator.start(device.client_id, DIRECT)
    for _ in range(3):
        assert device.ask("GET", f"{BASE}/job/{job}/definition").status == 404
    assert device.state_of(job) == "INSTALL"


def test_service_gone_for_a_while(tmp_path: Path) -> None:
    """A device goes on with its job when the service comes back."""
    service = LocalService(tmp_path)
    with service:
        operator = Operator(service)
        job = operator.start("dev", DIRECT)
        device = Device(service.ports["south"], "dev")
        device.put(job, "INSTALLING", 0, "Start INSTALL.")
        assert service.stop() == 0
        with pytest.raises((EOFError, OSError)):
            device.poll()
        device.close()
        with pytest.raises(ConnectionRefusedError):
            Device(service.ports["south"], "dev")
        service.start()
        again = Device(service.ports["south"], "dev")
        assert again.state_of(job) == "INSTALLING"
        install(again, job)
        activate(again, job)
        again.close()
        assert operator.state_of(job) == "ACTIVATED"
        operator.close()


def test_demo(tmp_path: Path) -> None:
    """The demo takes a job to ACTIVATED before the eyes of whoever started it, and leaves nothing behind."""
    program = "import sys; from wfx.demo.scenario import run; sys.exit(run())"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert any("the job is ACTIVATED; its history, newest first:" in line for line in lines)
    shown = [line for line in lines if line.startswith("  20")]
    states = [line.split()[1] for line in reversed(shown)]
    assert list(dict.fromkeys(states)) == [
        "CREATED",
        "DOWNLOAD",
        "DOWNLOADING",
        "DOWNLOADED",
        "INSTALL",
        "INSTALLING",
        "INSTALLED",
        "ACTIVATE",
        "ACTIVATING",
    ]
    assert not list(tmp_path.iterdir())


def test_demo_device(local: LocalService, operator: Operator, tmp_path: Path) -> None:
    """The demo's device can be run on its own: it takes each job for it through the direct workflow until stopped."""
    client_id = f"demo-{local.ports['south']}"
    command = [
        sys.executable,
        "-m",
        "wfx.demo.device",
        "--url",
        f"{local.south}{BASE}",
        "--client-id",
        client_id,
        "--poll-seconds",
        "0.1",
    ]
    log = tmp_path / "log"
    with log.open("w") as output, subprocess.Popen(command, cwd=tmp_path, stderr=output) as device:
        for number in (1, 2):
            job = operator.start(client_id, DIRECT)
            deadline = time.monotonic() + DEADLINE
            while operator.state_of(job) != "ACTIVATED":
                assert time.monotonic() < deadline
                assert device.poll() is None, "still running"
                time.sleep(0.05)
            states = [state for state, _ in operator.course(job)]
            expected = ["INSTALL", "INSTALLING", "INSTALLED", "ACTIVATE", "ACTIVATING", "ACTIVATED"]
            assert list(dict.fromkeys(states)) == expected
            eventually(lambda: log.read_text().count("the job ended as ACTIVATED") == number, "the end is told")  # noqa: B023 - called at once
        device.send_signal(signal.SIGINT)
        assert device.wait(DEADLINE) == 0, log.read_text()
