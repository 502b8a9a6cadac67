"""TLS handshakes that do not succeed: which descriptors are left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.server.engines import DEADLINE
from tests.waiting import until
from wfx.config.options import Config
from wfx.config.tunables import Holder
from wfx.request_context import Side
from wfx.server.accepting import _TlsServer, accept
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.sockets import bind_tcp
from wfx.server.tls import Tls
from wfx.server.tls_alerts import Handshake, current_handshake

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a handshake."""
ALERT = b"\x15\x03\x03\x00\x02\x02\x2a"
"""A fatal alert (RFC 8446 section 6)."""

Server = tuple[_TlsServer, tuple[str, int]]


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with TLS, and its address."""
    certificate = Authority(tmp_path_factory.mktemp("authority")).sign("server")
    options = Config(scheme=("https",), tls_certificate=str(certificate.certificate), tls_key=str(certificate.key))
    limits = HttpLimits(Holder(HttpSettings(600, 1, read_timeout=600))).add_listener(Side.NORTH)
    listening = bind_tcp("127.0.0.1", 0)
    listening.listen()
    listening.setblocking(False)
    address = listening.getsockname()
    made = await accept(listening, Tls(options), asyncio.Protocol, limits, ())
    assert isinstance(made, _TlsServer)
    yield made, address
    made.close()
    await made.wait_closed()


async def time_out(_server: _TlsServer) -> None:
    """Tell the handshake that it took too long."""
    raise TimeoutError


async def be_cancelled(server: _TlsServer) -> None:
    """Cancel the handshake, as a shutdown does to what is left."""
    for task in server._handshakes:
        task.cancel()
    await asyncio.Event().wait()


@pytest.mark.parametrize("ending", [time_out, be_cancelled])
async def test_descriptors_after_an_alert(
    ending: Callable[[_TlsServer], Awaitable[None]], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handshake that is cancelled, or times out, after its alert was sent leaves no descriptor open."""
    kept: list[tuple[Handshake, object]] = []  # so that nothing is closed by being forgotten

    async def shake_hands(self: _TlsServer, connection: socket.socket, _due: float) -> None:
        handshake = current_handshake.get()
        handshake.refuse(ALERT)
        kept.append((handshake, connection))
        await ending(self)

    monkeypatch.setattr(_TlsServer, "_shake_hands", shake_hands)
    accepting, address = server
    with socket.create_connection(address, DEADLINE) as client:
        before = descriptors()
        client.sendall(HELLO)
        await until(lambda: kept and not accepting._handshakes)
        assert client.recv(100) == ALERT
        assert descriptors() == before


@pytest.mark.parametrize("sent", [b"", HELLO], ids=["nothing", "half a handshake"])
async def test_descriptors_after_cancelling(sent: bytes, server: Server) -> None:
    """A handshake that is cancelled while the client has more to say leaves no descriptor open."""
    accepting, address = server
    with socket.create_connection(address, DEADLINE) as client:
        await until(lambda: accepting._handshakes)
        kept = list(accepting._handshakes.values())
        client.sendall(sent)
        for task in accepting._handshakes:
            task.cancel()
        await until(lambda: not accepting._handshakes)
        assert [connection.fileno() for connection in kept] == [-1]


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
