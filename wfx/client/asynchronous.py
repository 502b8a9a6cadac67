"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from wfx.client.bodies import Body, Unpacker
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
from wfx.client.operations import Asynchronous, Operations
from wfx.client.pauses import Retries
from wfx.client.server import Server
from wfx.client.transport import asynchronous, opened_async

T = TypeVar("T")


class AsyncClient(Operations, Asynchronous):
    """Talks to one side of one server, from one event loop. Close it in the end, or use it in an ``async with``."""

    def __init__(self, server: Server | str, retries: Retries = Retries()) -> None:  # noqa: B008 - never changed
        """Open nothing yet; a text is the address of the server."""
        self.server = server if isinstance(server, Server) else Server(server)
        self.retries = retries
        ways = asynchronous(self.server.socket, self.server.proxy, self.server.trust)
        self._http = httpx.AsyncClient(**options_of(self.server), **ways)

    async def __aenter__(self) -> Self:
        """Close it in the end."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, and return its result."""
        driver, outcome = _Driver(self._http, self.server), None
        try:
            while True:
                outcome = await driver.do(advance(flow, outcome))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            await driver.close()

    async def iterate(self, flow: ItemFlow[T]) -> AsyncIterator[T]:
        """Run a flow as far as its items are taken."""
        driver, outcome = _Driver(self._http, self.server), None
        try:
            while True:
                command = advance(flow, outcome)
                if isinstance(command, Give):
                    outcome = None
                    yield command.item
                else:
                    outcome = await driver.do(command)
        except StopIteration:
            return
        finally:
            await driver.close()


class _Driver:
    """Carries the commands of one flow out."""

    def __init__(self, http: httpx.AsyncClient, server: Server) -> None:
        self._http = http
        self._server = server
        self._opened: tuple[Request, httpx.Response, AsyncIterator[bytes]] | None = None

    async def do(self, command: Command) -> Any:  # noqa: PLR0911 - one for each kind of command
        """Carry a command out; return its outcome, or the error that it ended with."""
        try:
            match command:
                case Send(request):
                    return await self._send(request)
                case Open(request, silence):
                    return await self._open(request, silence)
                case Read():
                    return await self._read()
                case Close():
                    return await self.close()
                case Sleep(seconds):
                    return await asyncio.sleep(seconds)
                case Now():
                    return asyncio.get_running_loop().time()
        except ClientError as exc:
            return exc

    async def _send(self, request: Request) -> Response:
        with failures_named(request):
            asked = self._http.build_request(
                request.method, request.path, headers=request.headers, content=request.body
            )
            async with asyncio.timeout(self._server.timeout):
                answer = await opened_async(self._http, asked, self._server.headers)
                try:
                    return await _whole(answer)
                finally:
                    await answer.aclose()

    async def _open(self, request: Request, silence: float) -> Response:
        with failures_named(request):
            asked = self._http.build_request(
                request.method, request.path, headers=request.headers, timeout=stream_timeout(self._server, silence)
            )
            async with asyncio.timeout(self._server.timeout):
                answer = await opened_async(self._http, asked, self._server.headers)
                if answer.status_code != 200:
                    try:
                        return await _whole(answer)
                    finally:
                        await answer.aclose()
            self._opened = request, answer, _pieces(answer)
            return Response(answer.status_code, names_lowered(answer.headers), b"")

    async def _read(self) -> bytes:
        assert self._opened is not None
        request, _, pieces = self._opened
        with failures_named(request):
            return await anext(pieces, b"")

    async def close(self) -> None:
        """Close what is open."""
        if self._opened is not None:
            _, answer, _ = self._opened
            self._opened = None
            await answer.aclose()


async def _whole(answer: httpx.Response) -> Response:
    body = Body()
    async for piece in _pieces(answer):
        body.add(piece)
    return Response(answer.status_code, names_lowered(answer.headers), body.whole())


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    unpacker = Unpacker(answer.headers.get("content-encoding", ""))
    async for piece in answer.aiter_raw():
        for part in unpacker.feed(piece):
            yield part
