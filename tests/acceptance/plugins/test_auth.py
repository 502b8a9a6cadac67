"""The auth example between devices and the real service: each reaches its own jobs, and no others."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from plugin_programs import ROOT
from rawhttp import Wire, request

from tests.acceptance.plugins.conftest import Guard, client_of, exit_status
from tests.acceptance.streams.writing import BASE, WORKFLOW, create_job, operator, store_workflow
from wfx.demo.local import LocalService

GUIDE = ROOT / "docs" / "plugins.md"
DEVICES = ("dev-a", "dev-b")
PAGE = {"Accept": "application/json"}


@pytest.fixture
def service(tmp_path: Path, guard: Guard, engine: str) -> Iterator[LocalService]:
    """A service with the example in front of devices that have tokens; the example must know the other side's port."""
    guard.south.sdk("auth", (ROOT / "plugins" / "examples" / "auth" / "auth.py").read_text())
    options = (*guard.options, engine, "--log-level=debug")
    service = LocalService(tmp_path, *options, environment={"AUTH_CONFIG": str(tmp_path / "auth.json")})
    with socket.create_server(("127.0.0.1", 0)) as free:
        service.ports["north"] = free.getsockname()[1]
    tokens = {hashlib.sha256(f"token-of-{device}".encode()).hexdigest(): device for device in DEVICES}
    (tmp_path / "auth.json").write_text(json.dumps({"north": service.north, "tokens": tokens}))
    with service:
        store_workflow(service)
        yield service


def device(service: LocalService, name: str) -> httpx.Client:
    """A device with its token."""
    client = client_of(service.south)
    client.headers["Authorization"] = f"Bearer token-of-{name}"
    return client


def test_devices_reach_their_own_jobs_only(service: LocalService) -> None:
    """What a device may see, report and follow is about its own jobs, whatever it asks for."""
    with client_of(service.north) as operator, device(service, "dev-a") as a, device(service, "dev-b") as b:
        new = {"workflow": WORKFLOW, "tags": ["hall"]}
        job_a, job_b = (
            operator.post(f"{BASE}/jobs", json={"clientId": name, **new}).raise_for_status().json()["id"]
            for name in DEVICES
        )
        for client, own, other in ((a, job_a, job_b), (b, job_b, job_a)):
            report = {"state": "INSTALLING", "clientId": "x"}
            assert client.get(f"{BASE}/jobs/{own}").json()["id"] == own
            assert client.put(f"{BASE}/jobs/{own}/status", json=report).status_code == 200
            for refused in (
                client.get(f"{BASE}/jobs/{other}"),
                client.put(f"{BASE}/jobs/{other}/status", json={"state": "TERMINATED", "clientId": "x"}),
                client.get(f"{BASE}/jobs?clientId=dev-a&clientId=dev-b"),
                client.get(f"{BASE}/jobs/events?jobIds={other}"),
            ):
                assert refused.status_code == 403
            assert [job["id"] for job in client.get(f"{BASE}/jobs?tag=hall").json()["content"]] == [own]
        for client, own in ((a, job_a), (b, job_b)):
            for query in ("since=0", "since=0&tags=hall", "since=0&actions=CREATE,UPDATE_STATUS"):
                content = client.get(f"{BASE}/jobs/events?{query}", headers=PAGE).json()["content"]
                assert [entry["event"]["job"]["id"] for entry in content] == [own] * 2
            assert operator.get(f"{BASE}/jobs/{own}").json()["status"]["state"] == "INSTALLING"


def test_strangers_reach_nothing(service: LocalService) -> None:
    """Without a token that is known, only health, version and documents are to be had."""
    with client_of(service.south) as client:
        for token in (None, "Bearer token-of-dev-c", "Basic token-of-dev-a"):
            headers = {"X-Client-Id": "dev-a"} | ({"Authorization": token} if token else {})
            for path in (f"{BASE}/jobs", f"{BASE}/jobs/events?since=0", f"{BASE}/workflows", "/download/x"):
                assert client.get(path, headers=headers).status_code == 403
            assert client.get("/health", headers=headers).status_code == 200


def test_the_stream_is_no_job(service: LocalService) -> None:
    """The status of a job named like the event stream is denied at once, over and over, and others never notice."""
    with client_of(service.north) as operator, device(service, "dev-a") as a, device(service, "dev-b") as b:
        new = {"clientId": "dev-b", "workflow": WORKFLOW}
        job = operator.post(f"{BASE}/jobs", json=new).raise_for_status().json()["id"]
        for _ in range(4):
            for name in ("events", "%65vents", "event%73"):
                for part in ("status", "definition", "tags"):
                    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
                        assert a.request(method, f"{BASE}/jobs/{name}/{part}").status_code == 403
            assert b.get(f"{BASE}/jobs/{job}/status").status_code == 200
    assert service.stop() == exit_status(service) == 0
    seen = [record for line in service.lines if (record := json.loads(line)).get("path", "").startswith(f"{BASE}/jobs")]
    assert any(record["path"] == f"{BASE}/jobs/{job}" for record in seen), "the owner was asked for"
    assert not any("events" in record["path"] for record in seen)


def test_an_update_client_with_a_token(service: LocalService) -> None:
    """SWUpdate sends its token on both connections as the guide tells, so its progress is let through.

    It says nothing else there. The API's documents are for everybody, because it stops when they are refused. What is
    refused leaves its job alone.
    """
    job = create_job(service, "dev-a")
    agent = ("User-Agent: libcurl-agent/1.0", "Accept: application/json", "X-Response-Filter: del(.context)")
    report = b'{"state": "INSTALLING", "clientId": "dev-a", "progress": 57, "message": "", "context": { "lines": [] }}'
    path = f"{BASE}/jobs/{job}/status"

    def put(*headers: str) -> int:
        with Wire(service.ports["south"]) as wire:
            head, _, body = request("PUT", path, report, *agent, *headers, "Expect: 100-continue").partition(b"{")
            wire.send(head)
            if wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100"):
                wire.send(b"{" + body)
            return wire.answer().status

    with Wire(service.ports["south"]) as wire:
        for document in ("/swagger.json", f"{BASE}/swagger.json", f"{BASE}/openapi.json"):
            wire.send(request("GET", document, b"", *agent))
            assert wire.answer().status in {200, 404}, "never refused"
    (line,) = re.findall('^[|] `auth_token = "(.*)TOKEN"`', GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert put(f"{line}token-of-dev-a", "X-Client-Id: dev-a") == 200
    assert put(f"{line}token-of-dev-a") == 200
    assert put(f"{line}token-of-dev-b") == 403
    assert put("X-Client-Id: dev-a") == 403
    with operator(service) as client:
        assert client.get(f"/jobs/{job}/status").json()["state"] == "INSTALLING"
