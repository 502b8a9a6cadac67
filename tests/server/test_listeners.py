"""Listening sockets."""

from __future__ import annotations

import socket

import pytest

from wfx.config.options import Config, Host
from wfx.server.listeners import CannotListen, open_listeners

HERE = Host("127.0.0.1")


def bound() -> socket.socket:
    """A socket on a port that nobody else has."""
    taken = socket.socket()
    taken.bind((HERE, 0))
    return taken


def test_all_or_none() -> None:
    """When one listener cannot be opened, the ports of the others are free again."""
    with bound() as free:
        port = free.getsockname()[1]
    with bound() as taken:
        taken.listen()
        config = Config(client_host=HERE, client_port=port, mgmt_host=HERE, mgmt_port=taken.getsockname()[1])
        with pytest.raises(CannotListen, match="north side"):
            open_listeners(config)
        with socket.socket() as again:
            again.bind((HERE, port))


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn", "auto"])
def test_what_is_opened(engine: str) -> None:
    """Each side has a listener of plain HTTP over TCP, on the port that was asked for."""
    config = Config(client_host=HERE, client_port=0, mgmt_host=HERE, mgmt_port=0, http_engine=engine)
    opened = open_listeners(config)
    assert [(each.side, each.mode, each.scheme, each.tls) for each in opened] == [
        ("south", "tcp", "http", None),
        ("north", "tcp", "http", None),
    ]
    for each in opened:
        assert each.address == f"127.0.0.1:{each.socket.getsockname()[1]}"
        assert each.is_loopback
        each.socket.close()
