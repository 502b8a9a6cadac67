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
from threading import Thread
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
        """Begin with nothing seen."""
        self.seen: list[Seen] = []
        self.replies: deque[Reply] = deque()
        self.usual: Callable[[Seen], Reply] = lambda _: Reply()
        self.port = 0
        self.connections: list[socket.socket] = []
        self.errors: list[str] = []

    def will(self, body: Any, status: int = 200) -> None:
        """Answer the next request with this JSON document."""
        self.replies.append(Reply(status, json.dumps(body).encode()))

    @property
    def one(self) -> Seen:
        """The only request that there was."""
        assert len(self.seen) == 1, self.seen
        return self.seen[0]

    def answer(self, request: Seen) -> Reply:
        """Record the request and pick its answer."""
        self.seen.append(request)
        return self.replies.popleft() if self.replies else self.usual(request)

    @contextmanager
    def listening(self, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
        """Serve on a loopback port."""
        with _TcpServer(("127.0.0.1", port), _Handler) as server:
            server.stub, server.tls = self, tls
            self.port = server.server_address[1]
            with _running(server, self):
                yield self

    @contextmanager
    def on_socket(self, path: Path) -> Iterator[Stub]:
        """Serve on a unix socket."""
        with _UnixServer(str(path), _Handler) as server:
            server.stub = self
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
        while stub.connections:
            with suppress(OSError):
                stub.connections.pop().shutdown(socket.SHUT_RDWR)
