"""What is measured: a workflow, some jobs, and one request per operation with the answer the service gives to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from bench.wrk import Load
from wfx.commandline import plain_yaml
from wfx.spec_files import find

BASE = "/api/wfx/v1"
WORKFLOW = "wfx.workflow.dau.direct"
_DEFINITION = {
    "version": "2.0",
    "type": ["firmware"],
    "artifacts": [{"name": "payload.swu", "version": "2.0", "uri": "http://files.example/payload.swu"}],
}
_REPORT = {
    "state": "INSTALLING",
    "clientId": "dev",
    "progress": 57,
    "message": "Downloading artifact",
    "context": {"lines": []},
}


@dataclass(frozen=True, slots=True)
class Case:
    """One operation to measure."""

    name: str
    side: str
    route: str
    """For the bare app: method and path with parameters in braces."""
    load: Load
    answer: str


def prepare(client: httpx.Client, devices: httpx.Client, jobs: int) -> list[Case]:
    """Fill the service through both its sides (north, south) and return what to measure."""
    workflow = plain_yaml.load(find(f"workflows/{WORKFLOW}.yml").read_bytes())
    client.post(f"{BASE}/workflows", json=workflow).raise_for_status()
    ids = [_create(client, number % max(1, jobs // 20)) for number in range(jobs)]
    paths = tuple(f"{BASE}/jobs/{job_id}" for job_id in ids)
    status_paths = tuple(f"{path}/status" for path in paths)
    page = f"{BASE}/jobs?limit=10&clientId=device-0&group=OPEN"
    report, new = json.dumps(_REPORT), json.dumps(_request("device-new"))
    for path in status_paths:
        devices.put(path, json=_REPORT).raise_for_status()
    status = devices.put(status_paths[0], json=_REPORT).raise_for_status().text
    filtered = (("X-Response-Filter", ".state"),)
    return [
        Case("GET job", "south", f"GET {BASE}/jobs/{{id}}", Load("GET", paths), _get(client, paths[0])),
        Case("GET jobs (10)", "south", f"GET {BASE}/jobs", Load("GET", (page,)), _get(client, page)),
        Case("PUT status", "south", f"PUT {BASE}/jobs/{{id}}/status", Load("PUT", status_paths, report), status),
        Case("POST job", "north", f"POST {BASE}/jobs", Load("POST", (f"{BASE}/jobs",), new), _get(client, paths[0])),
        Case(
            "GET status filtered",
            "south",
            f"GET {BASE}/jobs/{{id}}/status",
            Load("GET", status_paths, headers=filtered),
            '"INSTALLING"\n',
        ),
    ]


def _request(client_id: str) -> dict[str, Any]:
    return {"clientId": client_id, "workflow": WORKFLOW, "tags": ["hall1"], "definition": _DEFINITION}


def _create(client: httpx.Client, device: int) -> str:
    answer = client.post(f"{BASE}/jobs", json=_request(f"device-{device}")).raise_for_status()
    return str(answer.json()["id"])


def _get(client: httpx.Client, path: str) -> str:
    return client.get(path).raise_for_status().text
