"""Clients that record what they do to a service and what they see of it, for history_check.py to judge.

Changes carry their tokens where their events show them: in a definition, a message or a tag. Deletions, which carry
nothing, are known by their job.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from history_check import Attempt, Document, Entry, Outcome, Record

from tests.events.reading import EventSource
from wfx_loadtest.wire import Address, Answer, Pool, Request, WireError

BASE = "/api/wfx/v1"
DEADLINE = 60.0
WORKFLOW = {
    "name": "endless",
    "states": [{"name": "WORK"}, {"name": "REST"}],
    "transitions": [{"from": "WORK", "to": "REST", "eligible": eligible} for eligible in ("CLIENT", "WFX")],
    "groups": [{"name": "OPEN", "states": ["WORK"]}],
}

_NONE: Mapping[int, Outcome] = {}


class Wrong(AssertionError):
    """The service answered what it never should."""


@dataclass
class Recorder:
    """What all clients of one service recorded."""

    attempts: list[Attempt] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    troubles: Counter[int] = field(default_factory=Counter)
    """How often the store's failures were answered, by status code."""

    def note(self, token: str, outcome: Outcome, sent: float) -> None:
        """Enter an attempt that has just ended."""
        self.attempts.append(Attempt(token, outcome, sent, time.monotonic()))
        self.outcomes[outcome] += 1

    @property
    def acknowledged(self) -> int:
        """How many changes the service has confirmed."""
        return self.outcomes[Outcome.ACKNOWLEDGED]

    def has(self, count: int) -> bool:
        """Tell whether that many changes are confirmed."""
        return self.acknowledged >= count


class Side:
    """One client's connection to one side."""

    def __init__(self, port: int) -> None:
        """Talk to a side of a service on this machine."""
        self._authority = f"127.0.0.1:{port}"
        self._pool = Pool(Address("127.0.0.1", port), 1)

    async def ask(self, method: str, path: str, body: Any) -> Answer:
        """Send a request. Raises WireError when no whole answer comes."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {BASE}{path} HTTP/1.1\r\nHost: {self._authority}\r\n"
        if content:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        return await self._pool.exchange(Request(f"{head}\r\n".encode(), content), DEADLINE)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class Writer:
    """Creates jobs and changes them, one thing after the other."""

    def __init__(
        self,
        name: str,
        ports: dict[str, int],
        recorder: Recorder,
        seed: int,
        *,
        troubles: Mapping[int, Outcome] = _NONE,
    ) -> None:
        """Act as ``name``, which is part of all tokens.

        ``troubles`` are the codes that the store's failures may be answered with, and what each says of a change.
        """
        self.name = name
        self._troubles = troubles
        self._sides = {side: Side(port) for side, port in ports.items()}
        self._recorder = recorder
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self._jobs: list[str] = []
        self._maybe_deleted: set[str] = set()

    async def run(self, goes_on: Callable[[], bool]) -> None:
        """Write until told to stop, or until an answer fails to come."""
        while goes_on():
            if not await self._write():
                return

    def close(self) -> None:
        """Close the connections."""
        for side in self._sides.values():
            side.close()

    async def _write(self) -> bool:
        """Change something; False if what became of it is not known."""
        token = f"{self.name}.{next(self._numbers)}"
        kind = self._random.choices(("create", "status", "definition", "tag", "delete"), (3, 10, 2, 2, 1))[0]
        if kind == "create" or not self._jobs:
            request = {"clientId": self.name, "workflow": "endless", "definition": {"token": token}}
            answer = await self._attempt(token, "north", "POST", "/jobs", request)
            if answer is not None and answer.status == 201:
                self._jobs.append(json.loads(answer.body)["id"])
            return answer is not None
        job = self._random.choice(self._jobs)
        path = f"/jobs/{job}"
        side = self._random.choice(("north", "south"))
        match kind:
            case "status":
                status = {"state": "WORK", "message": token, "progress": self._random.randrange(100)}
                return await self._change(job, token, side, "PUT", f"{path}/status", status)
            case "definition":
                return await self._change(job, token, side, "PUT", f"{path}/definition", {"token": token})
            case "tag":
                return await self._change(job, token, "north", "POST", f"{path}/tags", [token])
        return await self._change(job, f"deletion of {job}", "north", "DELETE", path, None)

    async def _change(self, job: str, token: str, side: str, method: str, path: str, body: Any) -> bool:
        if method == "DELETE":
            self._maybe_deleted.add(job)
        answer = await self._attempt(token, side, method, path, body, may_be_gone=job in self._maybe_deleted)
        if answer is None:
            return False
        if answer.status in (204, 404):
            self._jobs.remove(job)
        return True

    async def _attempt(
        self, token: str, side: str, method: str, path: str, body: Any, *, may_be_gone: bool = False
    ) -> Answer | None:
        """Send a change and record what becomes of it; None if that is not known. Raises Wrong."""
        sent = time.monotonic()
        try:
            answer = await self._sides[side].ask(method, path, body)
        except WireError:
            self._recorder.note(token, Outcome.UNKNOWN, sent)
            return None
        if answer.status in (200, 201, 204):
            self._recorder.note(token, Outcome.ACKNOWLEDGED, sent)
        elif answer.status == 404 and may_be_gone:
            if method != "DELETE":
                self._recorder.note(token, Outcome.REFUSED, sent)
        elif answer.status in self._troubles and json.loads(answer.body)["errors"][0]["code"].startswith("wfx.store"):
            # A deletion may be tried again, under the same token.
            self._recorder.note(token, Outcome.UNKNOWN if method == "DELETE" else self._troubles[answer.status], sent)
            self._recorder.troubles[answer.status] += 1
        else:
            raise Wrong(f"{method} {path}: {answer.line}: {answer.body!r}")
        return answer


class Tokens:
    """Finds the tokens of events, in the order of the log."""

    def __init__(self) -> None:
        """Begin before the first event."""
        self._tags: dict[str, set[str]] = {}

    def of(self, event: Document) -> str:
        """The token of the next event."""
        job = event["job"]
        match event["action"]:
            case "CREATE" | "UPDATE_DEFINITION":
                return str(job["definition"]["token"])
            case "UPDATE_STATUS":
                return str(job["status"]["message"])
            case "ADD_TAGS":
                known, self._tags[job["id"]] = self._tags.get(job["id"], set()), set(job["tags"])
                (fresh,) = self._tags[job["id"]] - known
                return str(fresh)
        return f"deletion of {job['id']}"


class Follower:
    """Follows the log from its beginning on, and takes up the thread wherever it breaks."""

    def __init__(self, *ports: int, by_header: bool, patient: bool = False) -> None:
        """Resume by the ``Last-Event-ID`` header or by the parameter ``since``, at the next of several ports.

        Who is ``patient`` comes back when the store was not available.
        """
        self._urls = itertools.cycle(f"http://127.0.0.1:{port}{BASE}/jobs/events" for port in ports)
        self._by_header = by_header
        self._patient = patient
        self.source = EventSource()
        self.connections = 0

    async def run(self) -> None:
        """Read until cancelled."""
        async with httpx.AsyncClient(timeout=httpx.Timeout(DEADLINE, connect=5), trust_env=False) as client:
            while True:
                try:
                    await self._read(client)
                except httpx.TransportError:
                    await asyncio.sleep(0.02)  # nobody listens now: not to ask without pause

    async def _read(self, client: httpx.AsyncClient) -> None:
        self.source.reconnect()
        known = self.source.last_id
        headers = {"Last-Event-ID": known} if known and self._by_header else {}
        since = "0" if known is None or self._by_header else known
        async with client.stream("GET", next(self._urls), params={"since": since}, headers=headers) as answer:
            if answer.status_code == 503 and self._patient:
                await asyncio.sleep(0.05)
                return
            if answer.status_code != 200:
                raise Wrong(f"{answer.url}: {answer.status_code}: {await answer.aread()!r}")
            self.connections += 1
            async for chunk in answer.aiter_raw():
                self.source.feed(chunk)

    @property
    def seen(self) -> list[Entry]:
        """Everything that was seen, in the order in which it was."""
        tokens = Tokens()
        return [Entry(number_of(event_id), tokens.of(event)) for event_id, event in self.source.events]


def number_of(event_id: str) -> int:
    """The sequence number in an event's id."""
    return int(event_id.rpartition("-")[2])


def _operator(north: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=north + BASE, timeout=DEADLINE, trust_env=False)


async def create_workflow(north: str) -> None:
    """Store the workflow of all jobs."""
    async with _operator(north) as client:
        (await client.post("/workflows", json=WORKFLOW)).raise_for_status()


async def read_log(north: str) -> list[tuple[int, Document]]:
    """Read the whole log, page by page: numbers and events."""
    found: list[tuple[int, Document]] = []
    position = "0"
    async with _operator(north) as client:
        while True:
            answer = await client.get(
                "/jobs/events", params={"since": position, "limit": 1000}, headers={"Accept": "application/json"}
            )
            page = answer.raise_for_status().json()
            found += [(number_of(entry["id"]), entry["event"]) for entry in page["content"]]
            if page["next"] == position:
                return found
            position = page["next"]


async def read_jobs(north: str, ids: Iterable[str]) -> dict[str, Document]:
    """Read those of the jobs that are there, with their history."""
    found = {}
    async with _operator(north) as client:
        for job in ids:
            answer = await client.get(f"/jobs/{job}", params={"history": "true"})
            if answer.status_code != 404:
                found[job] = answer.raise_for_status().json()
    return found


async def list_jobs(north: str) -> list[str]:
    """List the ids of all jobs."""
    async with _operator(north) as client:
        page = (await client.get("/jobs", params={"limit": 0})).raise_for_status().json()
    return [job["id"] for job in page["content"]]


def record_of(recorder: Recorder, log: list[tuple[int, Document]], followers: list[Follower]) -> Record:
    """Put together what is to be judged."""
    tokens = Tokens()
    entries = [Entry(number, tokens.of(event)) for number, event in log]
    readers = {f"{number}": follower.seen for number, follower in enumerate(followers)}
    return Record(recorder.attempts, entries, readers, hidden=frozenset({1}))  # the workflow's
