"""Content that is made to break something: each place it can be put into gives the contract's answer, never a 5xx."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from contract_tables import OPERATIONS

from tests.acceptance.model import hash_of
from wfx.demo.local import LocalService

JSON = {"Content-Type": "application/json"}
TEXT = "text/plain; charset=utf-8"
LITERALS = {
    "9223372036854775807": True, "18446744073709551616": True, "-0": True, "1" + "0" * 300: True,
    "1" + "0" * 5000: False, "1e400": False, "NaN": False, "-Infinity": False,
}  # fmt: skip
"""Numbers, and whether a double can hold them."""
STRINGS = {
    "NUL": b"\x00", "lone surrogate": b"\xed\xa0\x80", "no UTF-8": b"\xff\xfe", "mark": b"\xef\xbb\xbf",
    "right to left": "\u202ex".encode(), "combining": "e\u0301".encode(), "four bytes": "\N{FIRE}".encode(),
    "line": b"\r\nX-Evil: 1", "terminal": b"\x1b]0;owned\x07\x1b[2J",
}  # fmt: skip
"""Texts, as bytes, since some of them are none."""
BODIES = [(row[1], row[2]) for row in OPERATIONS if row[1] in ("POST", "PUT")]


def raw(text: bytes) -> bytes:
    """A JSON string of these bytes, control characters escaped, the rest as it is."""
    return b'"' + b"".join(b"\\u%04x" % byte if byte < 0x20 else bytes([byte]) for byte in text) + b'"'


def started(north: httpx.Client, workflow: str, definition: bytes) -> httpx.Response:
    """Create a job with a definition that is given as bytes."""
    body = b'{"clientId": "c", "workflow": "%b", "definition": %b}' % (workflow.encode(), definition)
    return north.post("/jobs", content=body, headers=JSON, extensions={"deliberate": "some of it is no JSON"})


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: literal[:20])
def test_numbers_at_creation(north: httpx.Client, workflow: dict[str, Any], literal: str) -> None:
    """Row 36: a job is created with any number that a double can hold, and with no other."""
    answer = started(north, workflow["name"], b'{"n": %b}' % literal.encode())
    if not LITERALS[literal]:
        assert (answer.status_code, answer.headers["content-type"]) == (400, TEXT)
        return
    assert answer.status_code == 201
    assert answer.json()["status"]["definitionHash"] == hash_of({"n": float(literal)})


@pytest.mark.parametrize("levels", [100, 101, 100_000])
def test_depth_at_creation(north: httpx.Client, workflow: dict[str, Any], levels: int) -> None:
    """Row 35: a job's whole request may be a hundred levels deep, its definition one less."""
    answer = started(north, workflow["name"], b'{"a":' * (levels - 2) + b"{}" + b"}" * (levels - 2))
    assert answer.status_code == (201 if levels <= 100 else 400)


def test_a_million_members(tmp_path: Path) -> None:
    """Row 35: an object of a million members is kept whole, as far as bodies may be so long."""
    definition = {f"{number:x}": 0 for number in range(1_000_000)}
    with LocalService(tmp_path) as service, httpx.Client(trust_env=False, timeout=60) as client:
        base = f"{service.north}/api/wfx/v1"
        body = {"name": "w", "states": [{"name": "S"}], "transitions": []}
        assert client.post(f"{base}/workflows", json=body).status_code == 201
        job = client.post(f"{base}/jobs", json={"clientId": "c", "workflow": "w"}).json()["id"]
        sent = json.dumps(definition, separators=(",", ":"))
        answer = client.put(f"{base}/jobs/{job}/definition", content=sent, headers=JSON)
        assert answer.status_code == 200, answer.text[:500]
        assert client.get(f"{base}/jobs/{job}/definition").json() == definition


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_odd_text_everywhere(
    service: LocalService, north: httpx.Client, job: dict[str, Any], workflow: dict[str, Any], text: bytes
) -> None:
    """Row 37: odd text is taken or refused wherever a request has text, and leaves the job readable."""
    deliberate = {"deliberate": "some of it is no text"}
    path, escaped = f"/jobs/{job['id']}", quote(text)
    answers = [
        north.put(f"{path}/{part}", content=body, headers=JSON, extensions=deliberate)
        for part, body in [
            ("definition", b'{"t": %b, %b: 1}' % (raw(text), raw(text))),
            ("status", b'{"state": "INSTALL", "message": %b, "context": {%b: %b}}' % ((raw(text),) * 3)),
            ("status", b'{"state": %b}' % raw(text)),
            ("status", b'{"state": "INSTALL", "clientId": %b}' % raw(text)),
        ]
    ]
    names = (raw(text), workflow["name"].encode(), raw(text))
    job_of_it = b'{"clientId": %b, "workflow": "%b", "tags": [%b]}' % names
    states = b'{"name": "%b", "states": [{"name": %b}], "transitions": []}' % (job["id"].encode(), raw(text))
    answers += [
        north.post("/jobs", content=job_of_it, headers=JSON, extensions=deliberate),
        north.post("/workflows", content=states, headers=JSON, extensions=deliberate),
        north.post(f"{path}/tags", content=b"[%b]" % raw(text), headers=JSON, extensions=deliberate),
        north.put(f"{path}/definition", content=text, headers=JSON, extensions=deliberate),
    ]
    with httpx.Client(base_url=service.south + "/api/wfx/v1", trust_env=False, timeout=60) as south:
        answers += [
            south.get(f"/jobs/{escaped}"), south.get(f"/workflows/{escaped}"),
            *(south.get(f"/jobs?{name}={escaped}") for name in ("clientId", "state", "group", "tag", "limit")),
            *(south.get(f"/jobs/events?since=0&{name}={escaped}", headers={"Accept": "application/json"})
              for name in ("clientIds", "tags", "workflows", "since")),
        ]  # fmt: skip
    assert {answer.status_code for answer in answers} <= {200, 201, 400, 404, 409}
    assert {answer.status_code for answer in answers} >= {200, 400}
    assert not any("x-evil" in answer.headers for answer in answers)
    assert north.get(path).json()["id"] == job["id"]


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("label", ["", "text/plain", "application/xml", "application/jsonx", "multipart/form-data; x"])
def test_content_types(north: httpx.Client, method: str, path: str, label: str) -> None:
    """Row 34: a body that is not labelled as JSON is a text 400 that says so, on every path that takes one."""
    answer = north.request(
        method,
        path.format(id="x", name="x"),
        content=b"{}",
        headers={"Content-Type": label},
        extensions={"deliberate": "no such type"},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (400, TEXT)
    assert "Content-Type" in answer.text
