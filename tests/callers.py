"""Callers that write as fast as they are answered, and remember what they were told."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"


class Caller:
    """One keep-alive connection to one side."""

    def __init__(self, port: int) -> None:
        """Connect when the first request is sent."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request, return status and decoded body. Raises OSError or HTTPException when the server is gone."""
        encoded = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self._connection.request(method, BASE + path, encoded, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content.startswith((b"{", b"[")) else content

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass
class Record:
    """What one writer knows of its job: numbered updates that were acknowledged, and those it never heard of again."""

    job_id: str
    acknowledged: list[int] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)

    def next_number(self) -> int:
        """Number the next update."""
        return max([0, *self.acknowledged, *self.unknown]) + 1


def complaints(record: Record, shown: list[int]) -> list[str]:
    """Hold the updates that the log shows for a job, in its order, against what its writer knows."""
    found = []
    if missing := sorted(set(record.acknowledged) - set(shown)):
        found.append(f"acknowledged and lost: {missing}")
    if invented := sorted(set(shown) - set(record.acknowledged) - record.unknown):
        found.append(f"never sent: {invented}")
    if len(shown) != len(set(shown)):
        found.append("something happened twice")
    if sorted(shown) != shown:
        found.append("not in the order in which it was sent")
    return found


def whole_log(service: LocalService) -> list[dict[str, Any]]:
    """Read all events, page by page, as ``{"id": …, "event": …}``."""
    caller = Caller(service.ports["south"])
    entries: list[dict[str, Any]] = []
    since = "0"
    while True:
        status, page = caller.ask("GET", f"/jobs/events?since={since}&limit=1000")
        assert status == 200, page
        if not page["content"]:
            caller.close()
            return entries
        entries += page["content"]
        since = page["next"]
