"""Whatever callers send to be shown again, nobody can make up header fields, answers, events or log lines with it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from rawhttp import Answer, Wire, request

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
BREAKS = ("\r\n", "\n", "\r", "\r\n\r\n", "\x85", "\u2028", "\v")
EVIL = "X-Evil: 1"


def ask(service: LocalService, method: str, target: str, body: bytes = b"", *headers: str) -> Answer:
    """Send a request and read its answer, behind which nothing comes."""
    with Wire(service.ports["north"]) as wire:
        wire.send(request(method, target, body, "Connection: close", *headers))
        answer = wire.answer()
        assert wire.over(), "one answer and nothing more"
    assert "x-evil" not in answer.headers
    return answer


@pytest.mark.parametrize("end", BREAKS, ids=ascii)
def test_targets(service: LocalService, end: str) -> None:
    """Row 30: line breaks in paths and parameters end no header, wherever the answer shows them."""
    evil = quote(f"a{end}{EVIL}{end}")
    for target, status in (
        (f"//{evil}", 307),
        (f"{BASE}/jobs/{evil}", 404),
        (f"{BASE}/workflows/{evil}", 404),
        (f"{BASE}/jobs?limit={evil}", 400),
        (f"{BASE}/jobs?sort={evil}", 400),
        (f"{BASE}/jobs/events?since={evil}", 400),
        (f"{BASE}/jobs/events?actions={evil}", 400),
        (f"{BASE}/jobs?clientId={evil}&tag={evil}", 200),
    ):
        answer = ask(service, "GET", target)
        assert answer.status == status, (target, answer)
        if status == 400:
            assert answer.body.count(b"\n") == 1, "one line"
        assert not any(control in answer.headers.get("location", "") for control in "\r\n")


@pytest.mark.parametrize("end", BREAKS, ids=ascii)
def test_what_is_stored(service: LocalService, workflow: dict[str, Any], end: str) -> None:
    """Row 30: line breaks in clients, tags, messages and filters stay text in answers and in events."""
    evil = f"a{end}{EVIL}{end}data: {{}}"
    wanted = {"clientId": evil, "workflow": workflow["name"], "tags": [evil], "definition": {evil: evil}}
    created = ask(service, "POST", f"{BASE}/jobs", json.dumps(wanted).encode())
    assert created.status == 201, created
    job = json.loads(created.body)
    assert (job["clientId"], job["tags"]) == (evil, [evil])
    shown = ask(service, "GET", f"{BASE}/jobs/{job['id']}", b"", f"X-Response-Filter: {json.dumps(evil)}")
    assert shown.status == 200
    parameters = f"since=0&jobIds={job['id']}&tags={quote(evil)}"
    page = ask(service, "GET", f"{BASE}/jobs/events?{parameters}", b"", "Accept: application/json")
    (entry,) = json.loads(page.body)["content"]
    assert entry["event"]["tags"] == [evil]
    with Wire(service.ports["north"]) as wire:
        wire.send(request("GET", f"{BASE}/jobs/events?{parameters}"))
        block = wire.until(b"\n\n") + wire.until(b"\n\n")
    _, _, stream = block.decode().partition("\r\n\r\n")
    assert [line for line in re.split(r"\r\n|\n|\r", stream) if line.startswith((EVIL, "data: {}"))] == []


def test_log(service: LocalService) -> None:
    """Row 30: no line of the log begins with what a caller sent; each is a record of its own."""
    ask(service, "GET", f"{BASE}/jobs/a%0D%0A{quote(EVIL)}")
    ask(service, "GET", "/x", b"", f"User-Agent: {EVIL}")
    assert all(line.startswith("{") and json.loads(line) for line in service.lines)
