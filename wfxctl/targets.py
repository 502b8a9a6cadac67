"""Where the two APIs are (cli sections 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Settings

BASE_PATH = "/api/wfx/v1"


class Side(StrEnum):
    """The two APIs; the value is how their options begin."""

    SOUTH = "client"
    """For devices and for whoever only reads."""
    NORTH = "mgmt"
    """For operators: creates, deletes, steers."""


@dataclass(frozen=True, slots=True)
class Target:
    """One API of one server."""

    url: str
    """Without a slash at the end."""
    socket: str
    """Connect through this unix socket, or to the URL's host when empty."""


def unix_socket(settings: Settings) -> str:
    """Return the socket that all connections go through, or nothing. Raises UsageFailure when two are set."""
    sockets = [path for side in Side if (path := settings.text(f"{side}-unix-socket"))]
    if len(sockets) > 1:
        raise UsageFailure("--client-unix-socket and --mgmt-unix-socket exclude each other")
    return sockets[0] if sockets else ""


def target(settings: Settings, side: Side, *, tls: bool) -> Target:
    """Return the address of an API. Raises UsageFailure as :func:`unix_socket` does."""
    infix = "tls-" if tls else ""
    host, port = settings.text(f"{side}-{infix}host"), settings.number(f"{side}-{infix}port")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    scheme = "https" if tls else "http"
    return Target(f"{scheme}://{host}:{port}{BASE_PATH}", unix_socket(settings))
