"""A service of the console's tests, and what operators and devices do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from wfx.demo.local import LocalService

API = "/api/wfx/v1"
DEADLINE = 120_000.0
"""Milliseconds in which a machine that is busy with other things does anything."""
WORKFLOW: dict[str, Any] = {
    "name": "lamp.flow",
    "groups": [
        {"name": "OPEN", "description": "at work", "states": ["DARK", "DIM"]},
        {"name": "CLOSED", "description": "done", "states": ["BRIGHT"]},
        {"name": "FAILED", "description": "failed", "states": ["BROKEN"]},
    ],
    "states": [{"name": "DARK"}, {"name": "DIM"}, {"name": "BRIGHT"}, {"name": "BROKEN"}],
    "transitions": [
        {"from": "DARK", "to": "DIM", "eligible": "CLIENT"},
        {"from": "DIM", "to": "BRIGHT", "eligible": "CLIENT"},
        {"from": "DARK", "to": "BROKEN", "eligible": "CLIENT"},
        {"from": "DARK", "to": "BRIGHT", "eligible": "WFX"},
    ],
}


class Fleet:
    """The service, and what operators and devices do to it."""

    def __init__(self, service: LocalService) -> None:
        self.service = service
        self.north = httpx.Client(base_url=service.north + API, trust_env=False, timeout=60)
        self.south = httpx.Client(base_url=service.south + API, trust_env=False, timeout=60)

    def close(self) -> None:
        """Close the connections."""
        self.north.close()
        self.south.close()

    @property
    def console(self) -> str:
        """The address of the console."""
        return f"{self.service.north}/ui/"

    def create(self, client: str, **more: Any) -> str:
        """Create a job; return its id."""
        answer = self.north.post("/jobs", json={"clientId": client, "workflow": "lamp.flow", **more})
        return str(answer.raise_for_status().json()["id"])

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to one of the other APIs of operators."""
        answer = self.north.request(method, self.service.north + path, **more)
        return answer.raise_for_status()

    def report(self, job: str, state: str, **more: Any) -> None:
        """Report a state as the device does."""
        self.south.put(f"/jobs/{job}/status", json={"state": state, **more}).raise_for_status()


@contextmanager
def served(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Iterator[Fleet]:
    """Run a service with the workflow, and with these options and variables."""
    with LocalService(folder, *options, environment=environment) as service:
        fleet = Fleet(service)
        try:
            fleet.north.post("/workflows", json=WORKFLOW).raise_for_status()
            yield fleet
        finally:
            fleet.close()
