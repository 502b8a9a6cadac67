"""Devices that report as quickly as they are answered, and the log as it is in the end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import yaml

from wfx import spec_files
from wfx.demo.local import LocalService
from wfx_loadtest.wire import Address, Connection, Request, WireError, connect

BASE = "/api/wfx/v1"
WORKFLOW = "wfx.workflow.dau.direct"
_AGAIN_SECONDS = 0.05
_ANSWER_SECONDS = 30


def operator(service: LocalService) -> httpx.Client:
    """Return a client of the management side."""
    return httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=30)


def store_workflow(service: LocalService) -> None:
    """Store the bundled direct workflow."""
    with operator(service) as client:
        document = yaml.safe_load(spec_files.find(f"workflows/{WORKFLOW}.yml").read_bytes())
        client.post("/workflows", json=document).raise_for_status()


def create_job(service: LocalService, client_id: str) -> str:
    """Create a job; returns its id."""
    with operator(service) as client:
        answer = client.post("/jobs", json={"clientId": client_id, "workflow": WORKFLOW})
        return str(answer.raise_for_status().json()["id"])


@dataclass
class Device:
    """Reports on one job, one message after the other: 1, 2, 3 and so on."""

    service: LocalService
    job: str
    filling: str = ""
    """Makes the reports, and so the events, larger."""
    acknowledged: list[int] = field(default_factory=list)
    """Messages that were answered with 200."""
    unknown: list[int] = field(default_factory=list)
    """Messages that were sent and not answered: they may have happened."""
    _connection: Connection | None = None
    _sent: int = 0

    async def report(self, count: int) -> None:
        """Send the next messages until so many more were acknowledged; goes on when the server was away."""
        goal = len(self.acknowledged) + count
        try:
            while len(self.acknowledged) < goal:
                await self._report_next()
        finally:
            await self.close()

    async def _report_next(self) -> None:
        self._sent += 1
        try:
            status = await self.put({"message": str(self._sent), "context": {"filling": self.filling}})
        except (WireError, TimeoutError):
            self.unknown.append(self._sent)
            await self.close()
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            assert status == 200 or status >= 500, status
            (self.acknowledged if status == 200 else self.unknown).append(self._sent)

    async def put(self, members: dict[str, Any], state: str = "INSTALLING") -> int:
        """Report a status; returns the answer's. Raises WireError, TimeoutError."""
        if self._connection is None or self._connection.closed:
            self._connection = await connect(Address("127.0.0.1", self.service.ports["south"]))
        body = json.dumps({"state": state, **members}).encode()
        head = (
            f"PUT {BASE}/jobs/{self.job}/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        async with asyncio.timeout(_ANSWER_SECONDS):
            return (await self._connection.exchange(Request(head.encode(), body))).status

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            await asyncio.sleep(0)  # the event loop closes the socket in its next turn


def devices(service: LocalService, count: int, filling: str = "") -> list[Device]:
    """Create a job for each of so many devices; the workflow must be stored."""
    return [Device(service, create_job(service, f"dev-{number}"), filling) for number in range(count)]


async def report(reporting: list[Device], count: int) -> None:
    """Let all devices report at once, so many messages each."""
    await asyncio.gather(*(device.report(count) for device in reporting))


def read_log(service: LocalService, since: str = "0", **query: str | int) -> list[tuple[str, dict[str, Any]]]:
    """Read the log in pages, as JSON: ids and events."""
    found: list[tuple[str, dict[str, Any]]] = []
    with operator(service) as client:
        while True:
            page = (
                client.get(
                    "/jobs/events",
                    params={"limit": 1000, **query, "since": since},
                    headers={"Accept": "application/json"},
                )
                .raise_for_status()
                .json()
            )
            found += [(row["id"], row["event"]) for row in page["content"]]
            if page["next"] == since:
                return found
            since = page["next"]
