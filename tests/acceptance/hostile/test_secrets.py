"""What callers and operators keep secret is in no record of the log, no answer to others and no report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from plugin_programs import PluginDirectory
from rawhttp import Wire

from wfx.demo.local import LocalService

CANARY = "canary5ecret"
"""Part of every secret: to be found wherever one of them leaks."""
BASE = "/api/wfx/v1"
JSON = {"Content-Type": "application/json"}
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
HEADERS = {
    "Authorization": f"Bearer {CANARY}-header", "Cookie": f"session={CANARY}-cookie",
    "Proxy-Authorization": f"Basic {CANARY}-proxy", "X-Api-Key": f"{CANARY}-key",
}  # fmt: skip
RAW = [
    b"GET /api/wfx/v1/jobs?token=%b HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: %b\r\n\r\n",
    b"GET /api/wfx/v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer %b\r\nX: %b\r\n\r\n",
    b"GET /api/wfx/v1/jobs?token=%b HTTP/1.1\r\nHost: a\r\nAuthorization: %b\nX: y\r\n\r\n",
    b"GET /api/wfx/v1/jobs?token=%b HTTP/9.9\r\nAuthorization: %b\r\n\r\n",
    b"POST /api/wfx/v1/jobs?token=%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\nAuthorization: %b\r\n\r\n",
    b"%b %b\r\n\r\n",
]  # fmt: skip
"""Requests that are refused before anybody looks at them."""


@pytest.fixture(params=["uvicorn", "hypercorn"])
def talkative(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalService]:
    """A service of each engine at level trace, with secrets around it and a database whose name is one."""
    environment = {"CANARY_PASSWORD": f"{CANARY}-variable"}
    options = (f"--http-engine={request.param}", "--log-level=trace", f"--storage-opt=file:{CANARY}-storage.db?_fk=1")
    with LocalService(tmp_path, *options, environment=environment) as service:
        yield service


def ask_everything(service: LocalService) -> list[httpx.Response]:
    """Send requests, good and bad, with secrets wherever there can be one; returns answers that owe them nothing."""
    answers = []
    for address in (service.north, service.south):
        with httpx.Client(base_url=address + BASE, headers=HEADERS, trust_env=False, timeout=20) as client:
            secret = {"password": f"{CANARY}-definition"}
            client.post("/workflows", json=WORKFLOW)
            created = client.post("/jobs", json={"clientId": "c", "workflow": "w", "definition": secret})
            job = created.json()["id"] if created.status_code == 201 else "x"
            client.put(
                f"/jobs/{job}/status", json={"state": "S", "context": secret, "message": f"token={CANARY}-message"}
            )
            client.put(f"/jobs/{job}/definition", content=f'{{"a": {CANARY}', headers=JSON)
            client.post("/jobs", json={"clientId": 1, "workflow": "w", "definition": secret})
            client.get("/jobs", headers={"X-Response-Filter": f'"{CANARY}-filter" | nosuchname'})
            client.get("/jobs", headers={"X-Response-Filter": f'"{CANARY}-filter" | error'})
            answers += [
                client.get("/health"), client.get("/version"), client.get(f"/workflows?access_token={CANARY}-query"),
                client.get(f"/jobs?limit=x&access_token={CANARY}-query"), client.get(f"/nowhere?token={CANARY}-query"),
                client.get("/jobs/x"), client.put("/jobs/x/status", json={"state": "S", "message": f"token={CANARY}"}),
                client.put("/jobs/x/definition", json=secret), client.patch(f"/jobs?token={CANARY}-query"),
                client.get("/workflows", headers={"X-Response-Filter": "env"}),
                client.get("/workflows", headers={"X-Response-Filter": "$ENV"}),
            ]  # fmt: skip
    for request in RAW:
        for port in service.ports.values():
            with Wire(port) as wire, suppress(ConnectionError):
                wire.send(request.replace(b"%b", f"{CANARY}-raw".encode()))
                wire.over()
    return answers


def leaks(text: str) -> list[str]:
    """Find the secrets in a text."""
    return re.findall(rf".{{0,60}}{CANARY}\S{{0,20}}", text)


def test_no_secret_is_logged(talkative: LocalService) -> None:
    """Row 57: at level trace, neither log nor answers repeat headers, definitions, the storage's name, or tokens."""
    answers = ask_everything(talkative)
    assert {answer.status_code for answer in answers} >= {200, 400, 404, 405}
    assert [leaks(answer.text) for answer in answers] == [[]] * len(answers)
    assert talkative.stop() == 0
    log = "".join(talkative.lines)
    assert '"finished"' in log
    assert leaks(log) == []


def test_no_secret_is_told_when_things_fail(tmp_path: Path) -> None:
    """Row 57: with a plugin that fails, what callers and the log are told has no secret."""
    directory = tmp_path / "plugins"
    directory.mkdir(mode=0o755)
    PluginDirectory(directory).sdk("failing", "def fail(request):\n    raise ValueError('on purpose')\nrun(fail)")
    with LocalService(tmp_path, "--log-level=trace", f"--mgmt-plugins-dir={directory}") as service:
        with httpx.Client(base_url=service.north + BASE, headers=HEADERS, trust_env=False, timeout=20) as client:
            answer = client.post("/jobs", json={"clientId": "c", "workflow": "w", "definition": {"a": CANARY}})
            assert answer.status_code == 503
        assert leaks(answer.text) == []
        assert service.stop() == 0
    assert leaks("".join(service.lines)) == []
    assert "on purpose" in "".join(service.lines)
