"""The client for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from wfx.client.bodies import Body, unpacked
from wfx.client.commands import (
    Close,
    Command,
    Flow,
    Give,
    ItemFlow,
    Now,
    Open,
    Read,
    Request,
    Response,
    Send,
    Sleep,
    advance,
)
from wfx.client.errors import ClientError
from wfx.client.http_library import failures_named, names_lowered, options_of, stream_timeout
from wfx.client.operations import Blocking, Operations
from wfx.client.pauses import Retries
from wfx.client.server import Server
from wfx.client.transport import blocking, opened

T = TypeVar("T")


class Client(Operations, Blocking):
    """Talks to one side of one server; may be shared by threads. Close it in the end, or use it in a ``with``."""

    def __init__(self, server: Server | str, retries: Retries = Retries()) -> None:  # noqa: B008 - never changed
        """Open nothing yet; a text is the address of the server."""
        self.server = server if isinstance(server, Server) else Server(server)
        self.retries = retries
        ways = blocking(self.server.socket, self.server.proxy, self.server.trust)
        self._http = httpx.Client(**options_of(self.server), **ways)

    def __enter__(self) -> Self:
        """Close it in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, and return its result."""
        driver, outcome = _Driver(self._http, self.server), None
        try:
            while True:
                outcome = driver.do(advance(flow, outcome))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            driver.close()

    def iterate(self, flow: ItemFlow[T]) -> Iterator[T]:
        """Run a flow as far as its items are taken."""
        driver, outcome = _Driver(self._http, self.server), None
        try:
            while True:
                command = advance(flow, outcome)
                if isinstance(command, Give):
                    outcome = None
                    yield command.item
                else:
                    outcome = driver.do(command)
        except StopIteration:
            return
        finally:
            driver.close()


class _Driver:
    """Carries the commands of one flow out."""

    def __init__(self, http: httpx.Client, server: Server) -> None:
        self._http = http
        self._server = server
        self._opened: tuple[Request, httpx.Response, Iterator[bytes]] | None = None

    def do(self, command: Command) -> Any:  # noqa: PLR0911 - one for each kind of command
        """Carry a command out; return its outcome, or the error that it ended with."""
        try:
            match command:
                case Send(request):
                    return self._send(request)
                case Open(request, silence):
                    return self._open(request, silence)
                case Read():
                    return self._read()
                case Close():
                    return self.close()
                case Sleep(seconds):
                    return time.sleep(seconds)
                case Now():
                    return time.monotonic()
        except ClientError as exc:
            return exc

    def _send(self, request: Request) -> Response:
        deadline = time.monotonic() + self._server.timeout
        with failures_named(request):
            asked = self._http.build_request(
                request.method, request.path, headers=request.headers, content=request.body
            )
            answer = opened(self._http, asked, self._server.headers)
            try:
                return self._whole(answer, deadline)
            finally:
                answer.close()

    def _whole(self, answer: httpx.Response, deadline: float) -> Response:
        body = Body()
        for piece in _pieces(answer):
            body.add(piece)
            if time.monotonic() > deadline:
                raise TimeoutError
        return Response(answer.status_code, names_lowered(answer.headers), body.whole())

    def _open(self, request: Request, silence: float) -> Response:
        deadline = time.monotonic() + self._server.timeout
        with failures_named(request):
            asked = self._http.build_request(
                request.method, request.path, headers=request.headers, timeout=stream_timeout(self._server, silence)
            )
            answer = opened(self._http, asked, self._server.headers)
            if answer.status_code != 200:
                try:
                    return self._whole(answer, deadline)
                finally:
                    answer.close()
            self._opened = request, answer, _pieces(answer)
            return Response(answer.status_code, names_lowered(answer.headers), b"")

    def _read(self) -> bytes:
        assert self._opened is not None
        request, _, pieces = self._opened
        with failures_named(request):
            return next(pieces, b"")

    def close(self) -> None:
        """Close what is open."""
        if self._opened is not None:
            _, answer, _ = self._opened
            self._opened = None
            answer.close()


def _pieces(answer: httpx.Response) -> Iterator[bytes]:
    return unpacked(answer.iter_raw(), answer.headers.get("content-encoding", ""))
