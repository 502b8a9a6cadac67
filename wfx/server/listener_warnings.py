"""Warnings about listeners at the start: who can reach them, and options that have no effect on them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from wfx.config.options import Config
from wfx.ip_networks import UNIX, address
from wfx.request_context import Side
from wfx.server.listeners import Listener, Mode


def listener_warnings(config: Config, listeners: Sequence[Listener], *, passed: bool) -> Iterator[str]:
    """Give what an administrator may not be aware of; ``passed`` tells whether systemd has opened the sockets."""
    for side, api, options in (
        (Side.SOUTH, "southbound API (devices)", "client-host and client-tls-host"),
        (Side.NORTH, "northbound API (operators)", "mgmt-host and mgmt-tls-host"),
    ):
        if any(listener.side is side and _is_everywhere(listener.socket) for listener in listeners):
            chosen_by = "ListenStream= in its socket unit chooses" if passed else f"options {options} choose"
            yield f"the {api} listens on all interfaces of this machine; {chosen_by} one"
    opened = [listener for listener in listeners if listener.mode is Mode.UNIX]
    if UNIX in config.trusted_proxy and not opened:
        yield "option trusted-proxy names unix, which has no effect: there are no Unix sockets (option scheme)"
    if config.unix_socket_mode and not any(listener.file for listener in opened):
        yield "option unix-socket-mode has no effect: no Unix sockets were made (option scheme)"


def _is_everywhere(opened: socket.socket) -> bool:
    if opened.family == socket.AF_UNIX:
        return False
    return address(opened.getsockname()[0]).is_unspecified
