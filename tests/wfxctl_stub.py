"""A small HTTP server on a real socket that records what it is asked and answers what a test told it to."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseServer, TCPServer, ThreadingMixIn, UnixStreamServer
from threading import Condition, Event, Thread
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

BASE = "/api/wfx/v1"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    """Still encoded, below the API's base path."""
    query: list[tuple[str, str]]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    chunks: Callable[[], Iterator[bytes]] | None = None
    """Yields a stream's parts instead of a body; the connection is closed behind them."""


class Stub:
    """The server. Answers come from ``replies`` in order; when there are none left, from ``usual``."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.written = 0
        """Answers that were written to the end."""
        self.replies: deque[Reply] = deque()
        self.usual: Callable[[Seen], Reply] = lambda _: Reply()
        self.port = 0
        self.connections: list[socket.socket] = []
        self.errors: list[str] = []
        self.stopped = Event()
        """Set when connections are cut; then a new one."""

    def will(self, body: Any, status: int = 200) -> None:
        """Answer the next request with this JSON document."""
        self.replies.append(Reply(status, json.dumps(body).encode()))

    def cut(self) -> None:
        """End all streams and connections, as a server that is killed does."""
        self.stopped.set()
        self.stopped = Event()
        while self.connections:
            with suppress(OSError):
                self.connections.pop().shutdown(socket.SHUT_RDWR)

    @property
    def one(self) -> Seen:
        """The only request that there was."""
        assert len(self.seen) == 1, self.seen
        return self.seen[0]

    def answer(self, request: Seen) -> Reply:
        """Record the request and pick its answer."""
        reply = self.replies.popleft() if self.replies else self.usual(request)
        self.seen.append(request)
        return reply

    @contextmanager
    def listening(self, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
        """Serve on a loopback port."""
        with _TcpServer(("127.0.0.1", port), _Handler) as server:
            server.stub, server.tls = self, tls
            self.port = server.server_address[1]
            with _running(server, self):
                yield self

    @contextmanager
    def on_socket(self, path: Path, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
        """Serve on a unix socket."""
        with _UnixServer(str(path), _Handler) as server:
            server.stub, server.tls = self, tls
            with _running(server, self):
                yield self


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Seen(
            method=self.command,
            path=url.path.removeprefix(BASE),
            query=parse_qsl(url.query, keep_blank_values=True),
            headers=headers,
            body=self._body(headers),
        )
        reply = cast(_Connections, self.server).stub.answer(request)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.chunks is None:
            self.send_header("Content-Length", str(len(reply.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        for chunk in [reply.body] if reply.chunks is None else reply.chunks():
            self.wfile.write(chunk)
        cast(_Connections, self.server).stub.written += 1

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # the library's names

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def handle(self) -> None:
        """Serve one connection; a client that goes away is no error of the server's."""
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Connections(ThreadingMixIn):
    """Remembers open connections, to cut them when the server stops: a killed server does that too."""

    daemon_threads = True
    block_on_close = False
    stub: Stub
    tls: ssl.SSLContext | None = None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        self.stub.connections.append(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands first where TLS is spoken, then serve."""
        if self.tls is not None:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        super().finish_request(request, client_address)  # type: ignore[misc]
        request.close()

    def handle_error(self, *_: object) -> None:
        """Let a test see what went wrong in the server."""
        self.stub.errors.append(str(sys.exception()))


class _TcpServer(_Connections, TCPServer):
    allow_reuse_address = True


class _UnixServer(_Connections, UnixStreamServer):
    pass


@contextmanager
def _running(server: BaseServer, stub: Stub) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        stub.cut()


WORKFLOW = {
    "name": "lamp",
    "states": [{"name": name} for name in ("OFF", "DIM", "BRIGHT", "BROKEN")],
    "groups": [
        {"name": "OPEN", "states": ["OFF", "DIM"]},
        {"name": "CLOSED", "states": ["BRIGHT"]},
        {"name": "FAILED", "states": ["BROKEN"]},
    ],
    "transitions": [
        {"from": "OFF", "to": "DIM", "eligible": "WFX", "action": "IMMEDIATE"},
        {"from": "DIM", "to": "DIM", "eligible": "CLIENT"},
        {"from": "DIM", "to": "BRIGHT", "eligible": "CLIENT"},
        {"from": "DIM", "to": "BROKEN", "eligible": "CLIENT"},
    ],
}


class Fleet:
    """Jobs and their log, served by a stub as the API does it: reads, and streams that can be resumed."""

    def __init__(self, stub: Stub) -> None:
        """Answer the stub's requests from now on."""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.log: list[str] = []
        self.subscribed = 0
        self.resumable = True
        self._stub = stub
        self._changed = Condition()
        stub.usual = self._answer

    def create(self, name: str, **members: Any) -> None:
        """Add a job in its first state."""
        moment = self._moment()
        job = {
            "id": name,
            "clientId": "dev",
            "workflow": WORKFLOW,
            "status": {"state": "DIM"},
            "stime": moment,
            "mtime": moment,
        } | members
        self._record("CREATE", job, {"tags": []} | job)

    def change(self, name: str, action: str = "UPDATE_STATUS", **members: Any) -> None:
        """Change members of a job, and say so on the log."""
        job = self.jobs[name] | members | {"mtime": self._moment()}
        told = {"id": name, "clientId": job["clientId"], "workflow": {"name": "lamp"}, "mtime": job["mtime"]} | members
        self._record(action, told, job)

    def move(self, name: str, state: str) -> None:
        """Change the state of a job."""
        self.change(name, status={"state": state})

    def delete(self, name: str) -> None:
        """Remove a job."""
        job = self.jobs[name]
        self._record("DELETE", {"id": name, "clientId": job["clientId"], "workflow": {"name": "lamp"}}, None)

    def wait_for_subscribers(self, count: int) -> None:
        """Wait until so many streams were opened in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.subscribed >= count, 20)

    def _moment(self) -> str:
        return f"2026-07-01T08:00:{len(self.log):02}Z"

    def _record(self, action: str, told: dict[str, Any], job: dict[str, Any] | None) -> None:
        with self._changed:
            if job is None:
                del self.jobs[told["id"]]
            else:
                self.jobs[told["id"]] = job
            self.log.append(json.dumps({"ctime": self._moment(), "action": action, "job": told, "tags": None}))
            self._changed.notify_all()

    def _answer(self, request: Seen) -> Reply:
        if request.path == "/jobs/events":
            return self._stream(request)
        with self._changed:
            if request.path == "/jobs":
                query = dict(request.query)
                state = query.get("state")
                jobs = [job for job in self.jobs.values() if state is None or job["status"]["state"] == state]
                return Reply(body=json.dumps({"content": jobs[: int(query["limit"]) or None]}).encode())
            job = self.jobs.get(request.path.removeprefix("/jobs/"))
        return Reply(404, b'{"errors":[]}') if job is None else Reply(body=json.dumps(job).encode())

    def _stream(self, request: Seen) -> Reply:
        last_id = request.headers.get("last-event-id")
        if last_id is not None and not self.resumable:
            return Reply(410, b'{"errors":[]}')
        start = len(self.log) if last_id is None else int(last_id.removeprefix("log-"))
        stopped = self._stub.stopped

        def chunks() -> Iterator[bytes]:
            with self._changed:
                self.subscribed += 1
                self._changed.notify_all()
            yield f"id: log-{start}\n\n".encode()
            position = start
            position = start
            while not stopped.is_set():
                with self._changed:
                    if len(self.log) == position:
                        self._changed.wait(0.05)  # measured: looks again
                    events = self.log[position:]
                for event in events:
                    position += 1
                    yield f"data: {event}\nid: log-{position}\n\n".encode()

        return Reply(headers={"Content-Type": "text/event-stream"}, chunks=chunks)
