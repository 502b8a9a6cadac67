"""Listening sockets."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import Config, Host
from wfx.demo.local import LocalService
from wfx.server.listener_warnings import listener_warnings
from wfx.server.listeners import CannotListen, open_listeners
from wfx.server.start_checks import START_CHECKS

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


SOUTH = (
    "the southbound API (devices) listens on all interfaces of this machine; options client-host and client-tls-host"
)
NORTH = "the northbound API (operators) listens on all interfaces of this machine; options mgmt-host and mgmt-tls-host"
PROXY = "option trusted-proxy names unix, which has no effect"
MODE = "option unix-socket-mode has no effect"


@pytest.mark.parametrize(("settings", "said"), [
    ({}, []),
    ({"client_host": "0.0.0.0"}, [SOUTH]),
    ({"client_host": "::"}, [SOUTH]),
    ({"mgmt_host": "", "client_host": ""}, [SOUTH, NORTH]),
    ({"trusted_proxy": ("10.0.0.0/8", "unix")}, [PROXY]),
    ({"unix_socket_mode": "0660"}, [MODE]),
    ({"unix_socket_mode": "0660", "trusted_proxy": ("unix",), "scheme": ("unix", "http")}, []),
])  # fmt: skip
def test_warnings(settings: dict[str, Any], said: list[str], tmp_path: Path) -> None:
    """A start warns of an API that all interfaces reach, and of options for Unix sockets where there are none."""
    defaults = {"client_host": HERE, "client_port": 0, "mgmt_host": HERE, "mgmt_port": 0,
                "client_unix_socket": str(tmp_path / "client"), "mgmt_unix_socket": str(tmp_path / "mgmt")}  # fmt: skip
    config = Config(**(defaults | settings))
    opened = open_listeners(config)
    found = list(listener_warnings(config, opened, passed=False))
    for each in opened:
        each.close()
    assert [warning.startswith(expected) for warning, expected in zip(found, said, strict=True)] == [True] * len(said)


@pytest.mark.parametrize(("option", "scheme", "host", "refused"), [
    ("mgmt-host", "http", "192.0.2.1", True), ("client-tls-host", "https", "2001:db8::1", True),
    ("client-host", "https", "192.0.2.1", False), ("client-host", "http", "0.0.0.0", False),
    ("client-host", "http", "127.0.0.1", False), ("client-host", "http", "name.invalid", False),
])  # fmt: skip
def test_addresses_for_the_next_start(option: str, scheme: str, host: str, refused: bool) -> None:
    """An address that this machine does not have is found before the restart that would use it; names are not tried."""
    changed: dict[str, Any] = {option.replace("-", "_"): Host(host)}
    with pytest.raises(OptionRefused, match=f"{option}: cannot listen on {host}") if refused else nullcontext():
        START_CHECKS[option](Config(scheme=(scheme,), **changed))


def test_warning_at_the_start(tmp_path: Path) -> None:
    """A service whose southbound API listens on all interfaces says so once, and names the options."""
    with LocalService(tmp_path, "--client-host=0.0.0.0") as service:
        assert "".join(service.lines).count(SOUTH) == 1
