"""Listeners: opens listening sockets, or takes over those of systemd, and serves an app on each."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from starlette.types import ASGIApp

from wfx.config.options import Config
from wfx.host_port import host_port
from wfx.ip_networks import address
from wfx.request_context import Side
from wfx.server.descriptors import connections_possible
from wfx.server.engine import Engine, choose
from wfx.server.limits import HttpLimits, ListenerLimits
from wfx.server.sockets import SocketFile, bind_tcp, bind_unix
from wfx.server.tls import Tls

log = logging.getLogger("wfx")


class CannotListen(Exception):
    """A listener could not be opened; the message names the address and the reason."""


class Mode(StrEnum):
    """How clients reach a listener."""

    TCP = "tcp"
    UNIX = "unix"


class BuildApp(Protocol):
    """Builds an app for a listener."""

    def __call__(self, side: Side, *, loopback: bool) -> ASGIApp:
        """Build it; ``loopback`` tells whether browsers of this machine, and no others, reach the listener."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open socket, the side it belongs to, and how it is served."""

    side: Side
    socket: socket.socket
    address: str
    """Where it listens, for people: ``127.0.0.1:8081``, or the path of a Unix socket."""
    engine: Engine
    mode: Mode = Mode.TCP
    tls: Tls | None = None
    file: SocketFile | None = None
    """The file of a Unix socket; None if it was passed by systemd, to which it belongs."""

    @property
    def scheme(self) -> str:
        """How it is asked for by the option ``scheme``."""
        return "https" if self.tls is not None else "unix" if self.mode is Mode.UNIX else "http"

    @property
    def is_loopback(self) -> bool:
        """Whether browsers of this machine, and no others, reach it; they cannot reach Unix sockets."""
        if self.mode is Mode.UNIX:
            return False
        return address(self.socket.getsockname()[0]).is_loopback

    def close(self) -> None:
        """Stop listening, and leave nothing behind."""
        self.socket.close()
        if self.file is not None:
            self.file.remove()

    async def serve(self, app: ASGIApp, limits: ListenerLimits, stop: asyncio.Event) -> None:
        """Serve an app until ``stop`` is set; closes."""
        try:
            await self.engine(app, self.socket, limits, stop, self.tls)
        finally:
            self.close()


def open_listeners(
    config: Config, tls: Tls | None = None, passed: Sequence[tuple[Side, socket.socket]] = ()
) -> list[Listener]:
    """Open all listeners, or none; those of the scheme https have these settings of TLS. Raises CannotListen.

    Sockets that systemd has passed take the place of all others.
    """
    if passed:
        return [_passed(config, side, taken, tls) for side, taken in passed]
    with ExitStack() as stack:
        opened = []
        for listener in _open(config, tls):
            opened.append(listener)
            stack.callback(listener.close)
        stack.pop_all()
    if not opened:
        raise CannotListen("there is nothing to listen on: option scheme is empty")
    return opened


def _open(config: Config, tls: Tls | None) -> Iterator[Listener]:
    engine = config.http_engine
    for scheme in dict.fromkeys(config.scheme):
        if scheme == "http":
            yield open_tcp(Side.SOUTH, config.client_host, config.client_port, engine)
            yield open_tcp(Side.NORTH, config.mgmt_host, config.mgmt_port, engine)
        elif scheme == "https":
            yield open_tcp(Side.SOUTH, config.client_tls_host, config.client_tls_port, engine, tls)
            yield open_tcp(Side.NORTH, config.mgmt_tls_host, config.mgmt_tls_port, engine, tls)
        else:
            yield open_unix(Side.SOUTH, config.client_unix_socket, config.unix_socket_mode, engine)
            yield open_unix(Side.NORTH, config.mgmt_unix_socket, config.unix_socket_mode, engine)


def serve(
    group: asyncio.TaskGroup,
    listeners: Sequence[Listener],
    build_app: BuildApp,
    limits: HttpLimits,
    stop: asyncio.Event,
) -> list[asyncio.Task[None]]:
    """Run an engine and an app for each listener in the group, until ``stop`` is set; each closes its listener.

    A task that is cancelled breaks off what its listener works on.
    """
    most_connections = connections_possible(len(listeners))
    tasks = []
    for listener in listeners:
        app = build_app(listener.side, loopback=listener.is_loopback)
        listener_limits = limits.add_listener(listener.side, most_connections, listener.address)
        tasks.append(group.create_task(listener.serve(app, listener_limits, stop)))
        fields = {
            "side": str(listener.side), "addr": listener.address, "scheme": listener.scheme,
            "tls": listener.tls is not None,
        }  # fmt: skip
        log.info("listening", extra={"fields": fields})
    return tasks


def open_tcp(side: Side, host: str, port: int, engine: str, tls: Tls | None = None) -> Listener:
    """Listen on a TCP port; port 0 takes a free one. Raises CannotListen."""
    try:
        opened = bind_tcp(host, port)
    except UnicodeError as exc:
        raise CannotListen(f"cannot listen on {host_port(host, port)} ({side} side): not a host name") from exc
    except OSError as exc:
        raise CannotListen(f"cannot listen on {host_port(host, port)} ({side} side): {exc.strerror or exc}") from exc
    opened.setblocking(False)
    return Listener(side, opened, _address(opened), choose(engine, tls=tls is not None), tls=tls)


def open_unix(side: Side, path: str, mode: str, engine: str) -> Listener:
    """Listen on a Unix socket; ``mode`` has octal digits, or none to leave it to the umask. Raises CannotListen."""
    if not path:
        option = "client-unix-socket" if side is Side.SOUTH else "mgmt-unix-socket"
        raise CannotListen(f"cannot listen on a Unix socket ({side} side): option {option} is empty")
    try:
        opened, file = bind_unix(Path(path), int(mode, 8) if mode else None)
    except OSError as exc:
        raise CannotListen(f"cannot listen on {path} ({side} side): {exc.strerror or exc}") from exc
    opened.setblocking(False)
    return Listener(side, opened, path, choose(engine, tls=False), Mode.UNIX, file=file)


def _passed(config: Config, side: Side, taken: socket.socket, tls: Tls | None) -> Listener:
    """Serve a socket of systemd; with TLS if that is the only scheme wanted."""
    if tls is not None and set(config.scheme) != {"https"}:
        raise CannotListen("systemd has passed sockets, which are served in one way: give one scheme only")
    if tls is not None and taken.family == socket.AF_UNIX:
        raise CannotListen(f"systemd has passed a Unix socket ({side} side): it cannot have the scheme https")
    return take_over(side, taken, config.http_engine, tls)


def take_over(side: Side, taken: socket.socket, engine: str, tls: Tls | None = None) -> Listener:
    """Serve a socket that listens already; its file, if it has one, is somebody else's."""
    taken.setblocking(False)
    chosen = choose(engine, tls=tls is not None)
    if taken.family == socket.AF_UNIX:
        return Listener(side, taken, str(taken.getsockname()), chosen, Mode.UNIX)
    return Listener(side, taken, _address(taken), chosen, tls=tls)


def _address(opened: socket.socket) -> str:
    name = opened.getsockname()
    return host_port(name[0], name[1])
