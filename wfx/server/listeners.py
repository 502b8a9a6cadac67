"""Opens listening sockets."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from wfx.api.side import Side

BACKLOG = 2048
_ALL_IPV4 = "0.0.0.0"  # noqa: S104  # recognised, to listen on IPv6 as well (server section 4)


class CannotListen(Exception):
    """A listener could not be opened; the message names the address and the reason."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open socket and the side it belongs to."""

    side: Side
    socket: socket.socket
    address: str
    """Where it listens, for people: ``127.0.0.1:8081``."""
    scheme: str = "http"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        address = ip_address(self.socket.getsockname()[0])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def open_tcp(side: Side, host: str, port: int) -> Listener:
    """Listen on a TCP port; port 0 takes a free one. Raises CannotListen."""
    try:
        opened = _bind(host, port)
        opened.listen(BACKLOG)
    except UnicodeError as exc:
        raise CannotListen(f"cannot listen on {_join(host, port)} ({side} side): not a host name") from exc
    except OSError as exc:
        raise CannotListen(f"cannot listen on {_join(host, port)} ({side} side): {exc.strerror or exc}") from exc
    opened.setblocking(False)
    name = opened.getsockname()
    return Listener(side, opened, _join(name[0], name[1]))


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
    except OSError:
        opened.close()
        raise
    return opened


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
