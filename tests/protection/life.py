"""What tests of encryption share: keys, commands, and a story that puts a secret into every place."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import httpx

from wfx.demo.local import LocalService

BASE, FLEET = "/api/wfx/v1", "/api/fleet/v1"
SECRET = "a@b.io"
ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
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


_ANOTHER_ONE = {"WFX_ENABLE_ENCRYPTION": "true", "WFX_ENCRYPTION_KEYS": f"one:{'A' * 43}="}
UNFIT: Sequence[tuple[dict[str, str], str]] = (
    ({}, 'sealed with the key "one", which is no encryption key here'),
    (sealing("two"), 'sealed with the key "one", which is no encryption key here'),
    (_ANOTHER_ONE, "is another one"),
)
"""Variables with which nobody opens what was sealed with the key ``one``, and the reason that is given."""


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

    def __init__(self, north: httpx.Client, south: httpx.Client) -> None:
        """Talk to both sides of a service."""
        self.north, self.south = north, south
        self.jobs: list[str] = []

    @classmethod
    def on(cls, service: LocalService) -> Self:
        """Talk to this service; once it has listened, its addresses stay."""
        return cls(*(httpx.Client(base_url=each, limits=ONE_REQUEST) for each in (service.north, service.south)))

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
            self.south.put(f"{BASE}/jobs/{first}/status", json=status).raise_for_status()
        self.north.put(f"{BASE}/jobs/{first}/definition", json={**definition, "n": 2}).raise_for_status()
        for state in ("RUN", "DONE"):
            status = {"state": state, "message": SECRET}
            self.south.put(f"{BASE}/jobs/{last}/status", json=status).raise_for_status()
        self.north.delete(f"{BASE}/jobs/{last}").raise_for_status()
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
        found = [self.north.get(path).raise_for_status().content for path in paths]
        log = {"since": "0", "limit": 1000}
        events = self.north.get(f"{BASE}/jobs/events", params=log, headers={"Accept": "application/json"})
        return [*found, *(repr(each["event"]).encode() for each in events.json()["content"])]

    @staticmethod
    def _new(client: str, definition: dict[str, Any]) -> dict[str, Any]:
        return {"clientId": f"press-{client}", "workflow": "flow", "definition": definition, "tags": ["hall"]}

    def _post(self, path: str, body: Any, **headers: str) -> Any:
        return self.north.post(path, json=body, headers=headers).raise_for_status().json()


def holding(folder: Path, text: str) -> set[str]:
    """Return the names of files that hold a text."""
    return {path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}
