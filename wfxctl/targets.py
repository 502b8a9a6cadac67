"""Where the two APIs are (cli sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Settings
from wfx.host_port import host_port

BASE_PATH = "/api/wfx/v1"
FLEET_PATH = "/api/fleet/v1"
"""What operators have beside it, on the management side alone."""
RULES_PATH = "/v1"
"""Rules and what comes of them, on the management side alone."""


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
    proxy: str = ""
    """Connect through this HTTP proxy, if there is one."""


def unix_socket(settings: Settings) -> str:
    """Return the socket that all connections go through, or nothing. Raises UsageFailure when two are set."""
    sockets = [path for side in Side if (path := settings.text(f"{side}-unix-socket"))]
    if len(sockets) > 1:
        raise UsageFailure("--client-unix-socket and --mgmt-unix-socket exclude each other")
    return sockets[0] if sockets else ""


def target(
    settings: Settings, environment: Mapping[str, str], side: Side, *, tls: bool, base: str = BASE_PATH
) -> Target:
    """Return the address of an API, of which ``base`` is the path, and the way to it.

    Raises UsageFailure as :func:`unix_socket` does, and for a proxy that is none, or that a socket leaves out.
    """
    infix = "tls-" if tls else ""
    host, port = settings.text(f"{side}-{infix}host"), settings.number(f"{side}-{infix}port")
    scheme = "https" if tls else "http"
    url = f"{scheme}://{host_port(host, port)}{base}"
    if path := unix_socket(settings):
        if settings.origin("proxy").kind == "flag":
            raise UsageFailure("--proxy excludes --client-unix-socket and --mgmt-unix-socket")
        return Target(url, path)
    from wfxctl.proxies import proxy_for  # only who connects needs it

    return Target(url, "", proxy_for(scheme, host, port, settings, environment))
