"""Health check of the container: asks the service where its settings say that devices reach it whether it is up."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

_DEADLINE = 8.0
_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listens nowhere: replaces them
"""Hosts that stand for all addresses, and one of these addresses."""


def _settings() -> dict[str, Any]:
    """Return what holds for the service, which has this program's variables and files, and arguments of its own."""
    words = Path("/proc/1/cmdline").read_bytes().decode().split("\0")[:-1]
    names = [Path(word).name for word in words]
    arguments = words[names.index("wfx") + 1 :] if "wfx" in names else []
    command = ["wfx", "config", "--output=json", *arguments]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - wfx itself
    return {name: option["value"] for name, option in json.loads(told)["options"].items()}


def _connection(settings: dict[str, Any]) -> HTTPConnection:
    """Connect as the first of the schemes says."""
    scheme = settings["scheme"][0]
    infix = "tls-" if scheme == "https" else ""
    host, port = settings[f"client-{infix}host"], settings[f"client-{infix}port"]
    host = _ANY.get(host, host)
    if scheme == "https":
        # who answers is this container, whatever name its certificate has
        return HTTPSConnection(host, port, timeout=_DEADLINE, context=ssl._create_unverified_context())  # noqa: S323, SLF001
    connection = HTTPConnection(host, port, timeout=_DEADLINE)
    if scheme == "unix":
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_DEADLINE)
        connection.sock.connect(settings["client-unix-socket"])
    return connection


def is_up() -> bool:
    """Whether the service says so, or refuses this program for having no client certificate."""
    try:
        connection = _connection(_settings())
        connection.request("GET", "/health", headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except ssl.SSLError as exc:
        return "ALERT" in (exc.reason or "")
    except (OSError, HTTPException, subprocess.CalledProcessError):
        return False


if __name__ == "__main__":
    sys.exit(not is_up())
