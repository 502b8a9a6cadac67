"""Connections to PostgreSQL that do not come about leave no socket behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from certificates import Authority

from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.target import read_target

RESET = struct.pack("ii", 1, 0)
REFUSAL = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"
Say = Callable[[socket.socket], socket.socket]


def say_nothing(client: socket.socket) -> socket.socket:
    """Accept only."""
    return client


def reset(client: socket.socket) -> socket.socket:
    """Take the request for TLS, and reset the connection."""
    client.recv(8)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    return client


def say_no_tls(client: socket.socket) -> socket.socket:
    """Have no TLS."""
    client.recv(8)
    client.sendall(b"N")
    return client


def stop_in_handshake(client: socket.socket) -> socket.socket:
    """Have TLS, and say no more."""
    client.recv(8)
    client.sendall(b"S")
    return client


def break_handshake(client: socket.socket) -> socket.socket:
    """Have TLS, and say something else."""
    stop_in_handshake(client).sendall(b"nonsense" * 20)
    return client


def refuse(client: socket.socket) -> socket.socket:
    """Refuse the password without TLS, and stay connected."""
    client.recv(1000)
    client.sendall(b"E" + struct.pack("!i", 4 + len(REFUSAL)) + REFUSAL)
    return client


@pytest.fixture(scope="module")
def own_tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The settings of a server that has TLS."""
    signed = Authority(tmp_path_factory.mktemp("tls")).sign("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    return context


@contextmanager
def peer(say: Say) -> Iterator[int]:
    """A program that says this to each client and keeps the connection; yields its port."""
    with ExitStack() as kept, socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client = kept.enter_context(listening.accept()[0])
                    with suppress(OSError):
                        kept.enter_context(say(client))

        server = threading.Thread(target=serve)
        server.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        server.join()


def left_behind(scenario: Callable[[], object]) -> list[str]:
    """Say what was not closed when the event loop of a scenario ended right after it."""
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        scenario()
        gc.collect()
    return [str(each.message) for each in told]


def refused(option: str) -> None:
    """Fail to connect, in an event loop that ends with that."""
    with pytest.raises(StoreUnavailable):
        asyncio.run(Connector(read_target(option, {"HOME": "/nonexistent"}))())


def option_of(port: int, sslmode: str, host: str = "127.0.0.1") -> str:
    """The storage option for the peer at this port."""
    return f"host={host} port={port} user=me password=x sslmode={sslmode} connect_timeout=2"


@pytest.mark.parametrize(
    ("say", "sslmode"),
    [
        (say_nothing, "disable"), (say_nothing, "prefer"), (reset, "prefer"), (reset, "require"),
        (say_no_tls, "require"), (stop_in_handshake, "require"), (break_handshake, "prefer"),
        (break_handshake, "require"), (refuse, "disable"), (refuse, "allow"),
    ],
)  # fmt: skip
def test_failures(say: Say, sslmode: str) -> None:
    """However a server fails to let us in, the sockets are closed."""
    with peer(say) as port:
        assert left_behind(lambda: refused(option_of(port, sslmode))) == []


@pytest.mark.parametrize("sslmode", ["allow", "prefer", "require"])
def test_refused_in_tls(own_tls: ssl.SSLContext, sslmode: str) -> None:
    """A server that refuses over TLS and does not end the connection is not waited for."""

    def refuse_in_tls(client: socket.socket) -> socket.socket:
        start = client.recv(1000)
        if len(start) == 8:
            client.sendall(b"S")
            client = own_tls.wrap_socket(client, server_side=True)
            client.recv(1000)
        client.sendall(b"E" + struct.pack("!i", 4 + len(REFUSAL)) + REFUSAL)
        return client

    with peer(refuse_in_tls) as port:
        twice = option_of(port, sslmode, host="127.0.0.1,127.0.0.1")
        assert left_behind(lambda: refused(twice)) == []


def test_cancelled(own_tls: ssl.SSLContext) -> None:
    """Who no longer wants a connection leaves no socket, even where the server is silent within TLS."""
    reached = threading.Event()

    def fall_silent(client: socket.socket) -> socket.socket:
        client.recv(8)
        client.sendall(b"S")
        client = own_tls.wrap_socket(client, server_side=True)
        client.recv(1000)
        reached.set()
        return client

    async def lose_interest(option: str) -> None:
        opening = asyncio.create_task(Connector(read_target(option, {"HOME": "/nonexistent"}))())
        await asyncio.to_thread(reached.wait, 60)
        opening.cancel()
        await asyncio.wait([opening])

    with peer(fall_silent) as port:
        assert left_behind(lambda: asyncio.run(lose_interest(option_of(port, "require")))) == []
