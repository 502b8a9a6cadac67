"""A small service with the contract's routes on real sockets, for tests of the generator."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from httptools import HttpRequestParser

BASE = "/api/wfx/v1"


@dataclass
class Seen:
    """One request as the service got it."""

    side: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    connection: int


@dataclass
class Stub:
    """What the two sides of the stub share, and what a test may set."""

    north_port: int = 0
    south_port: int = 0
    seen: list[Seen] = field(default_factory=list)
    workflow: dict[str, Any] | None = None
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=dict)
    """Answers to give instead, by (method, last part of the path), used up in order."""
    silent: bool = False
    """Read requests and answer none."""
    hang_up: bool = False
    """Close the connection instead of answering."""
    connections: int = 0
    open_connections: int = 0
    delay: float = 0.0
    """Seconds to wait before each answer."""

    def of(self, method: str, last: str) -> list[Seen]:
        """Return the requests with this method whose path (without query) ends like this."""
        return [seen for seen in self.seen if seen.method == method and seen.path.split("?")[0].endswith(last)]

    def respond(self, seen: Seen) -> tuple[int, Any]:
        """Answer like a service with one workflow and no rules about transitions."""
        parts = seen.path.split("?")[0].removeprefix(BASE).strip("/").split("/")
        scripted = self.answers.get((seen.method, parts[-1]))
        return scripted.pop(0) if scripted else self._usual(seen, parts)

    def _usual(self, seen: Seen, parts: list[str]) -> tuple[int, Any]:
        answer: tuple[int, Any] = 404, {"errors": []}
        match (seen.method, parts):
            case ("GET", ["version"]):
                answer = 200, {"version": "1.2.3"}
            case ("GET", ["workflows"]):
                answer = 200, {"content": [self.workflow] if self.workflow else []}
            case ("GET", ["workflows", _]) if self.workflow:
                answer = 200, self.workflow
            case ("POST", ["workflows"]):
                self.workflow = seen.body
                answer = 201, seen.body
            case ("GET", ["jobs"]):
                answer = 200, {"content": list(self.jobs.values())[:10]}
            case ("POST", ["jobs"]):
                answer = 201, self._create(seen.body["clientId"])
            case ("PUT", ["jobs", job_id, "status"]):
                self.jobs[job_id]["status"] = {**seen.body, "definitionHash": "00"}
                answer = 200, self.jobs[job_id]["status"]
        return answer

    def _create(self, client_id: str) -> dict[str, Any]:
        job_id = str(uuid.uuid4())
        status = {"clientId": client_id, "definitionHash": "00", "state": "INSTALL"}
        self.jobs[job_id] = {"id": job_id, "clientId": client_id, "status": status}
        return self.jobs[job_id]


class Handler(asyncio.Protocol):
    """One connection to the stub."""

    def __init__(self, stub: Stub, side: str) -> None:
        """Note one more connection."""
        self.stub, self.side = stub, side
        stub.connections += 1
        self.number = stub.connections
        self.parser = HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.stub.open_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Note one connection less."""
        del exc
        self.stub.open_connections -= 1

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self.url, self.body = b"", b""
        self.headers: dict[str, str] = {}

    def on_url(self, url: bytes) -> None:
        """Keep the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        """Ask for the body where that is waited for."""
        if "expect" in self.headers:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Answer as the test wants it."""
        seen = Seen(
            self.side,
            self.parser.get_method().decode(),
            self.url.decode(),
            self.headers,
            orjson.loads(self.body) if self.body else None,
            self.number,
        )
        self.stub.seen.append(seen)
        if self.stub.silent:
            return
        if self.stub.hang_up:
            self.transport.close()
            return
        asyncio.get_running_loop().call_later(self.stub.delay, self.reply, *self.stub.respond(seen))

    def reply(self, status: int, document: Any) -> None:
        """Send an answer."""
        body = orjson.dumps(document)
        reason = {200: "OK", 201: "Created", 404: "Not Found", 500: "Internal Server Error"}.get(status, "")
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (status, reason.encode(), len(body), body)
        )
