"""What tests of encryption share: keys, commands, and a story that puts a secret into every place."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from wfx.demo.local import LocalService

BASE, FLEET = "/api/wfx/v1", "/api/fleet/v1"
SECRET = "a@b.io"
WORKFLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "RUN"}, {"name": "DONE"}],
    "groups": [{"name": "OPEN", "states": ["NEW", "RUN"]}, {"name": "CLOSED", "states": ["DONE"]}],
    "transitions": [
        {"from": "NEW", "to": "NEW", "eligible": "CLIENT"},
        {"from": "NEW", "to": "RUN", "eligible": "CLIENT"},
        {"from": "RUN", "to": "DONE", "eligible": "CLIENT"},
    ],
}


def keys(*ids: str) -> dict[str, str]:
    """Return the variable that gives keys with these ids."""
    secrets = {key_id: base64.b64encode(sha256(key_id.encode()).digest()).decode() for key_id in ids}
    return {"WFX_ENCRYPTION_KEYS": ",".join(f"{key_id}:{secret}" for key_id, secret in secrets.items())}


def sealing(*ids: str) -> dict[str, str]:
    """Return the variables that have values sealed with the first of these keys."""
    return {**keys(*ids), "WFX_ENABLE_ENCRYPTION": "true"}


def wfx(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    return subprocess.run(
        [sys.executable, "-m", "wfx", *arguments], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def done(shown: subprocess.CompletedProcess[str]) -> str:
    """Return what a command that went well has shown."""
    assert shown.returncode == 0, shown
    return shown.stdout


class Life:
    """Jobs on a service, with the secret in all that devices and operators may write."""

    def __init__(self, service: LocalService) -> None:
        """Talk to this service."""
        self.service = service
        self.jobs: list[str] = []

    def workflow(self) -> None:
        """Create the workflow."""
        self._post(f"{BASE}/workflows", WORKFLOW)

    def live(self, name: str) -> None:
        """Create jobs, report on them, change and delete some."""
        definition = {"url": f"https://{SECRET}/", "n": 1.0}
        first, last = (self._post(f"{BASE}/jobs", self._new(name, definition))["id"] for _ in range(2))
        self.jobs.append(first)
        for state in ("NEW", "RUN"):
            status = {"state": state, "message": f"by {SECRET}", "progress": 7, "context": {"mail": SECRET}}
            self._put(f"{self.service.south}{BASE}/jobs/{first}/status", status)
        self._put(f"{self.service.north}{BASE}/jobs/{first}/definition", {**definition, "n": 2})
        for state in ("RUN", "DONE"):
            self._put(f"{self.service.south}{BASE}/jobs/{last}/status", {"state": state, "message": SECRET})
        httpx.delete(f"{self.service.north}{BASE}/jobs/{last}").raise_for_status()
        batch = {"workflow": "flow", "jobs": [self._new(f"{name}-{n}", definition) for n in range(3)]}
        made = self._post(f"{FLEET}/jobs:batch", batch, **{"Idempotency-Key": name})
        assert self._post(f"{FLEET}/jobs:batch", batch, **{"Idempotency-Key": name}) == made

    def seen(self) -> list[bytes]:
        """Return what the service answers about all of it."""
        paths = [f"{BASE}/jobs/{job}?history=true" for job in self.jobs]
        paths += [
            f"{BASE}/jobs?limit=100",
            f"{BASE}/jobs?tag=hall&state=RUN",
            f"{FLEET}/jobs?limit=100&clientIdPrefix=p",
        ]
        found = [httpx.get(self.service.north + path).raise_for_status().content for path in paths]
        events = httpx.get(
            f"{self.service.north}{BASE}/jobs/events", params={"since": "0", "limit": 1000},
            headers={"Accept": "application/json"},
        ).raise_for_status()  # fmt: skip
        return [*found, *(repr(each["event"]).encode() for each in events.json()["content"])]

    @staticmethod
    def _new(client: str, definition: dict[str, Any]) -> dict[str, Any]:
        return {"clientId": f"press-{client}", "workflow": "flow", "definition": definition, "tags": ["hall"]}

    def _post(self, path: str, body: Any, **headers: str) -> Any:
        return httpx.post(self.service.north + path, json=body, headers=headers).raise_for_status().json()

    @staticmethod
    def _put(url: str, body: Any) -> None:
        httpx.put(url, json=body).raise_for_status()


def with_secret(folder: Path) -> set[str]:
    """Return the names of files that hold the secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if SECRET.encode() in path.read_bytes()}


def holding(folder: Path, text: str) -> set[str]:
    """Return the names of files that hold a text."""
    return {path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}
