"""Listeners: opens listening sockets and serves an app on each."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from ssl import SSLContext
from typing import Protocol

from starlette.types import ASGIApp

from wfx.config.options import Config
from wfx.request_context import Side
from wfx.server.descriptors import connections_possible
from wfx.server.engine import Engine, choose
from wfx.server.limits import BACKLOG, HttpLimits

log = logging.getLogger("wfx")

_ALL_IPV4 = "0.0.0.0"  # noqa: S104  # recognised, to listen on IPv6 as well (server section 4)


class CannotListen(Exception):
    """A listener could not be opened; the message names the address and the reason."""


class Mode(StrEnum):
    """How clients reach a listener."""

    TCP = "tcp"


class BuildApp(Protocol):
    """Builds an app for a listener."""

    def __call__(self, side: Side, *, loopback: bool) -> ASGIApp:
        """Build it; ``loopback`` tells whether only this machine reaches the listener."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open socket, the side it belongs to, and how it is served."""

    side: Side
    socket: socket.socket
    address: str
    """Where it listens, for people: ``127.0.0.1:8081``."""
    engine: Engine
    mode: Mode = Mode.TCP
    tls: SSLContext | None = None
    """Settings of TLS; no listener of this version has any."""

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "http" if self.tls is None else "https"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        address = ip_address(self.socket.getsockname()[0])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def open_listeners(config: Config) -> list[Listener]:
    """Open all listeners, or none. Raises CannotListen."""
    with ExitStack() as stack:
        opened = []
        for side, host, port in (
            (Side.SOUTH, config.client_host, config.client_port),
            (Side.NORTH, config.mgmt_host, config.mgmt_port),
        ):
            opened.append(open_tcp(side, host, port, config.http_engine))
            stack.callback(opened[-1].socket.close)
        stack.pop_all()
    return opened


def serve(
    group: asyncio.TaskGroup,
    listeners: Sequence[Listener],
    build_app: BuildApp,
    limits: HttpLimits,
    stop: asyncio.Event,
) -> None:
    """Run an engine and an app for each listener in the group, until ``stop`` is set; the engines close the sockets."""
    most_connections = connections_possible(len(listeners))
    for listener in listeners:
        app = build_app(listener.side, loopback=listener.is_loopback)
        listener_limits = limits.add_listener(listener.side, most_connections)
        group.create_task(listener.engine(app, listener.socket, listener_limits, stop))
        fields = {
            "side": str(listener.side), "addr": listener.address, "scheme": listener.scheme,
            "tls": listener.tls is not None,
        }  # fmt: skip
        log.info("listening", extra={"fields": fields})


def open_tcp(side: Side, host: str, port: int, engine: str) -> Listener:
    """Listen on a TCP port; port 0 takes a free one. Raises CannotListen."""
    try:
        opened = _bind(host, port)
    except UnicodeError as exc:
        raise CannotListen(f"cannot listen on {_join(host, port)} ({side} side): not a host name") from exc
    except OSError as exc:
        raise CannotListen(f"cannot listen on {_join(host, port)} ({side} side): {exc.strerror or exc}") from exc
    opened.setblocking(False)
    name = opened.getsockname()
    return Listener(side, opened, _join(name[0], name[1]), choose(engine))


def _bind(host: str, port: int) -> socket.socket:
    if host in (_ALL_IPV4, ""):
        with suppress(OSError):
            return _bind_one(socket.AF_INET6, ("::", port))
        return _bind_one(socket.AF_INET, (_ALL_IPV4, port))
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return _bind_one(family, address)


def _bind_one(family: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
