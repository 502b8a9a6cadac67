"""What devices in the field send, byte for byte, and the example device of our own (device-swupdate)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from rawhttp import Answer, Wire

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
AGENT = "User-Agent: libcurl-agent/1.0\r\nContent-Type: application/json\r\nAccept: application/json\r\n"


class UpdateClient:
    """Speaks as an update client does: one connection for everything, a second one for progress, no identity there."""

    def __init__(self, service: LocalService, client_id: str) -> None:
        """Open both connections of the device."""
        self.client_id = client_id
        self.main, self.progress = Wire(service.ports["south"]), Wire(service.ports["south"])
        self._identity = f"X-Client-Id: {client_id}\r\nX-Client-Version: SWUpdate 2026.05.01\r\n"

    def close(self) -> None:
        """Close both connections."""
        self.main.socket.close()
        self.progress.socket.close()

    def get(self, path: str) -> Answer:
        """Ask on the main connection; a Content-Type is sent although there is no body."""
        self.main.send(f"GET {BASE}{path} HTTP/1.1\r\nHost: localhost\r\n{AGENT}{self._identity}\r\n".encode())
        return self.main.answer()

    def job(self) -> dict[str, Any] | None:
        """Poll for an open job."""
        content = json.loads(self.get(f"/jobs?clientId={self.client_id}&group=OPEN").body)["content"]
        return content[0] if content else None

    def report(self, job: dict[str, Any], state: str, progress: int, message: str, *, aside: bool = False) -> str:
        """Send one status, waiting for leave to send the body; returns the state of the reply."""
        wire, identity = (self.progress, "") if aside else (self.main, self._identity)
        status = {"state": state, "clientId": self.client_id, "progress": progress, "message": message,
                  "context": {"lines": []}}  # fmt: skip
        body = json.dumps(status).encode()
        head = (
            f"PUT {BASE}/jobs/{job['id']}/status HTTP/1.1\r\nHost: localhost\r\n{AGENT}{identity}"
            f"X-Response-Filter: del(.context)\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        wire.send(head.encode())
        assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100"), "leave to send the body comes at once"
        wire.send(body)
        answer = wire.answer()
        assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8"), answer
        assert answer.headers["x-response-filter"] == "del(.context)"
        reply: dict[str, Any] = json.loads(answer.body)
        assert "context" not in reply
        return str(reply["state"])


Connect = Callable[[str], UpdateClient]


@pytest.fixture
def connect(service: LocalService) -> Iterator[Connect]:
    """Let devices connect by their ids; all are disconnected at the end."""
    devices: list[UpdateClient] = []

    def connect_one(client_id: str) -> UpdateClient:
        devices.append(UpdateClient(service, client_id))
        return devices[-1]

    yield connect_one
    for device in devices:
        device.close()


Direct = list[tuple[str, int, str, bool, str]]
DIRECT: Direct = [
    ("INSTALLING", 0, "Start INSTALL.", False, "INSTALLING"),
    ("INSTALLING", 12, "Downloading artifact", True, "INSTALLING"),
    ("INSTALLING", 100, "Downloading artifact", True, "INSTALLING"),
    ("INSTALLING", 1, "Installing artifact 1/1: 'payload.bin' with 'rawfile' ...", True, "INSTALLING"),
    ("INSTALLING", 100, "Installing artifact 1/1: 'payload.bin' with 'rawfile' ...", True, "INSTALLING"),
    ("INSTALLING", 100, "Artifact 1/1 installation finished.", False, "INSTALLING"),
    ("INSTALLING", 100, "Finished.", False, "INSTALLING"),
    ("INSTALLED", 100, "Finished.", False, "ACTIVATE"),
    ("ACTIVATING", 100, "Notifying Progress Client(s) to activate artifact.", False, "ACTIVATING"),
    ("ACTIVATED", 100, "Finished Update.", False, "ACTIVATED"),
]


def test_direct_update(connect: Connect, job: dict[str, Any]) -> None:
    """A device takes a job of the direct workflow to its end over two connections, each state answered as expected."""
    device = connect(job["clientId"])
    assert device.get("/swagger.json").status == 200
    taken = device.job()
    assert taken is not None
    for state, progress, message, aside, expected in DIRECT:
        assert device.report(taken, state, progress, message, aside=aside) == expected
    assert json.loads(device.get(f"/jobs/{taken['id']}").body)["status"]["state"] == "ACTIVATED"
    assert device.job() is None, "nothing is left to do"


def test_failed_update(connect: Connect, job: dict[str, Any]) -> None:
    """A device that cannot get its artifact ends the job as TERMINATED."""
    device = connect(job["clientId"])
    taken = device.job()
    assert taken is not None
    device.report(taken, "INSTALLING", 0, "Start INSTALL.")
    assert device.report(taken, "TERMINATED", 100, "Error installing artifact 1/1.") == "TERMINATED"
    assert device.job() is None


def test_waiting_for_a_reboot(connect: Connect, job: dict[str, Any]) -> None:
    """A device that waits for its reboot repeats the same status, and finds the job again afterwards."""
    device = connect(job["clientId"])
    taken = device.job()
    assert taken is not None
    for state, progress, message, aside, _ in DIRECT[:8]:
        device.report(taken, state, progress, message, aside=aside)
    for _ in range(3):
        device.get(f"/jobs/{taken['id']}")
        assert device.report(taken, "ACTIVATING", 100, "Update installed.") == "ACTIVATING"
    rebooted = connect(job["clientId"])
    found = rebooted.job()
    assert found is not None
    assert (found["id"], found["status"]["state"]) == (taken["id"], "ACTIVATING")
    assert rebooted.report(found, "ACTIVATED", 100, "Update activation SUCCESSFUL") == "ACTIVATED"


def test_held_job_is_deleted(service: LocalService, connect: Connect, job: dict[str, Any]) -> None:
    """A device whose job was deleted is told that the job has ended."""
    device = connect(job["clientId"])
    httpx.delete(f"{service.north}{BASE}/jobs/{job['id']}", trust_env=False).raise_for_status()
    answer = device.get(f"/jobs/{job['id']}")
    assert (answer.status, json.loads(answer.body)["status"]["state"]) == (200, "TERMINATED")


def test_demo() -> None:
    """``wfx demo`` takes a real server, an operator and a device from creation to ACTIVATED and shows the history."""
    command = [sys.executable, "-m", "wfx", "demo"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "the job is ACTIVATED" in ran.stdout
    shown = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("  20")]
    assert [*dict.fromkeys(shown)] == [
        "ACTIVATING", "ACTIVATE", "INSTALLED", "INSTALLING", "INSTALL", "DOWNLOADED", "DOWNLOADING", "DOWNLOAD",
        "CREATED",
    ]  # fmt: skip


@pytest.mark.parametrize("artifact", ["/nothing-here"])
def test_example_device_reports_failure(
    service: LocalService, workflow: dict[str, Any], unique: Callable[[str], str], artifact: str
) -> None:
    """The example device ends a job whose artifact is missing as TERMINATED, with the reason in its message."""
    from wfx.demo.device import Device

    client_id, phased = unique("device"), unique("phased")
    states = [{"name": name} for name in ("DOWNLOAD", "DOWNLOADING", "TERMINATED")]
    edges = [("DOWNLOAD", "DOWNLOADING"), ("DOWNLOADING", "TERMINATED"), ("DOWNLOAD", "TERMINATED")]
    document = {
        "name": phased, "states": states, "groups": [{"name": "OPEN", "states": ["DOWNLOAD", "DOWNLOADING"]}],
        "transitions": [{"from": a, "to": b, "eligible": "CLIENT"} for a, b in edges],
    }  # fmt: skip
    with httpx.Client(base_url=service.north + BASE, trust_env=False) as north:
        north.post("/workflows", json=document).raise_for_status()
        definition = {"artifacts": [{"uri": service.north + artifact}]}
        request = {"clientId": client_id, "workflow": phased, "definition": definition}
        created = north.post("/jobs", json=request).raise_for_status().json()
        device = Device(service.south + BASE, client_id, poll_seconds=0.1)
        assert device.run_next() == "TERMINATED"
        device.close()
        status = north.get(f"/jobs/{created['id']}/status").json()
    assert "404" in status["message"]
    assert "\n" not in status["message"] + "".join(status["context"]["lines"])
    assert workflow["name"] != phased
