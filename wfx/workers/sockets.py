"""Sockets of worker processes, which the parent opens and keeps: a worker that is started again finds its own."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wfx.server.listeners import CannotListen, Listener, Mode
from wfx.server.sockets import listen_several_times


@dataclass(frozen=True, slots=True)
class WorkerSockets:
    """What one worker serves on."""

    listeners: Sequence[Listener]
    asked: socket.socket
    """The socket for questions of other workers."""


def sockets_of_workers(listeners: Sequence[Listener], count: int, *, passed: bool) -> list[WorkerSockets]:
    """Make the sockets of so many workers of listeners that are open. Raises CannotListen.

    Each worker has its own socket of a TCP listener, among which the system spreads connections; all share a Unix
    socket, and what systemd has passed.
    """
    columns = [_sockets_of(listener, count, passed=passed) for listener in listeners]
    rows = zip(*columns, strict=True)
    return [WorkerSockets(row, _asked_socket(number)) for number, row in enumerate(rows, 1)]


def _sockets_of(listener: Listener, count: int, *, passed: bool) -> list[Listener]:
    if passed or listener.mode is Mode.UNIX:
        return [listener] * count
    try:
        return [replace(listener, socket=each) for each in listen_several_times(listener.socket, count)]
    except OSError as exc:
        raise CannotListen(f"cannot listen on {listener.address} several times: {exc.strerror or exc}") from exc


def _asked_socket(number: int) -> socket.socket:
    """Open a socket without a file, which is gone with its last holder (unix(7), abstract)."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.bind(f"\0wfx-{os.getpid()}-{secrets.token_hex(8)}-{number}")
    opened.listen()
    opened.setblocking(False)
    return opened
