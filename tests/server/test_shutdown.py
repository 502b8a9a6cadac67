"""Stopping: requests that have arrived are answered, and connections are told that they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from rawhttp import Wire, request
from starlette.types import Receive, Scope, Send

from tests.certificates import Authority
from tests.server.engines import stoppable
from tests.server.http2 import Client
from tests.server.test_tls import connected, received, settings_of
from tests.waiting import DEADLINE, eventually
from wfx.api.reply import Reply
from wfx.server.limits import HttpSettings

PATIENT = HttpSettings(idle_timeout=60, graceful_timeout=60)
MANY = 100


class Held:
    """An app that answers once it is let go; ``/now`` at once."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.waiting = 0
        self.free = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["path"] != "/now":
            self.waiting += 1
            await asyncio.to_thread(self.free.wait)
        await Reply(200, scope["raw_path"])(scope, receive, send)


@pytest.fixture
def held() -> Iterator[Held]:
    """The app."""
    app = Held()
    yield app
    app.free.set()


def refuses(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        with Wire(port) as wire:
            return wire.over()
    except ConnectionError:
        return True


def test_requests_in_flight(engine: str, held: Held) -> None:
    """A hundred requests that are worked on when the service stops are all answered, the last of their connections."""
    with stoppable(engine, held, PATIENT) as (port, stop), ExitStack() as stack:
        wires = [stack.enter_context(Wire(port)) for _ in range(MANY)]
        for number, wire in enumerate(wires):
            wire.send(request("GET", f"/{number}"))
        eventually(lambda: held.waiting == MANY, "all are worked on")
        stop()
        eventually(lambda: refuses(port), "nobody else is let in")
        held.free.set()
        for number, wire in enumerate(wires):
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, b"/%d" % number)
            assert answer.headers["connection"] == "close"
            assert wire.closed()


def test_answers_right_after_the_stop(engine: str) -> None:
    """An answer that is sent as soon as nobody else is let in says that its connection ends."""
    asked = threading.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        with suppress(OSError):
            while True:
                _, writer = await asyncio.open_connection(*scope["server"])
                writer.close()
        await Reply(200)(scope, receive, send)

    with stoppable(engine, late, PATIENT) as (port, stop), Wire(port) as wire:
        wire.send(request("GET", "/"))
        assert asked.wait(DEADLINE)
        stop()
        answer = wire.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert wire.closed()


def test_idle_connections(engine: str, held: Held) -> None:
    """Connections without a request are closed, while another's request is worked on."""
    with stoppable(engine, held, PATIENT) as (port, stop), Wire(port) as busy, Wire(port) as used, Wire(port) as fresh:
        busy.send(request("GET", "/"))
        used.send(request("GET", "/now"))
        assert used.answer().status == 200
        eventually(lambda: held.waiting == 1, "it is worked on")
        stop()
        assert used.closed()
        assert fresh.closed()
        held.free.set()
        assert busy.answer().status == 200


def test_a_request_that_is_arriving(engine: str, held: Held) -> None:
    """A request of which a part has arrived when the service stops is answered as well."""
    sent = request("GET", "/now")
    with stoppable(engine, held, PATIENT) as (port, stop), Wire(port) as busy, Wire(port) as arriving:
        busy.send(request("GET", "/"))
        arriving.send(sent[:10])
        eventually(lambda: held.waiting == 1, "it is worked on")
        stop()
        eventually(lambda: refuses(port), "nobody else is let in")
        arriving.send(sent[10:])
        answer = arriving.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert arriving.closed()
        held.free.set()
        assert busy.answer().status == 200


@pytest.mark.parametrize("secured_by", ["", "hypercorn", "auto"])
def test_http2(held: Held, secured_by: str, tmp_path: Path) -> None:
    """Over HTTP/2 what is worked on is answered, also what still arrives; then the client is told that it was all."""
    authority = Authority(tmp_path)
    tls = settings_of(authority.sign("server"), secured_by) if secured_by else None
    trusting = authority.trusting() if secured_by else None
    engine = secured_by or "hypercorn"
    with stoppable(engine, held, PATIENT, tls) as (port, stop), Client(port, tls=trusting) as client:
        first = client.ask("/first")
        client.flush()
        eventually(lambda: held.waiting == 1, "it is worked on")
        stop()
        eventually(lambda: refuses(port), "nobody else is let in")
        second = client.ask("/now")
        client.flush()
        client.until(lambda: second in client.ended)
        assert client.goodbye is None, "clients that use h2 give up all requests with the first GOAWAY"
        held.free.set()
        client.until(lambda: client.goodbye is not None)
        assert client.bodies == {first: b"/first", second: b"/now"}
        assert client.goodbye is not None
        assert (client.goodbye.error_code, client.goodbye.last_stream_id) == (0, second)


def test_http2_that_nobody_reads() -> None:
    """A client that takes nothing of a large answer over HTTP/2 does not keep the service from ending."""
    begun = threading.Event()

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        while True:
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})

    settings = HttpSettings(idle_timeout=60, graceful_timeout=1)
    with ExitStack() as stack, stoppable("hypercorn", endless, settings) as (port, stop):
        client = stack.enter_context(Client(port, window=2**31 - 1))
        client.connection.increment_flow_control_window(2**30)
        client.ask("/")
        client.flush()
        assert begun.wait(DEADLINE)
        stop()  # it ends while the client is still there


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn", "auto"])
def test_over_tls(engine: str, held: Held, tmp_path: Path) -> None:
    """The same holds over TLS, where connections in the middle of a handshake are closed."""
    authority = Authority(tmp_path)
    tls = settings_of(authority.sign("server"), engine)
    with stoppable(engine, held, PATIENT, tls) as (port, stop), Wire(port) as beginning:
        beginning.send(b"\x16\x03\x01")
        with connected(port, authority.trusting()) as busy, connected(port, authority.trusting()) as idle:
            busy.sendall(request("GET", "/"))
            eventually(lambda: held.waiting == 1, "it is worked on")
            stop()
            assert received(idle) == b""
            assert beginning.closed()
            held.free.set()
            assert b"\r\nconnection: close\r\n" in received(busy).lower()
