"""HAProxy of the cluster: one address for each side, in front of the servers that are ready."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from local_cluster.processes import CannotRun, Processes

NAME = "haproxy"
_CONFIGURATION = """\
defaults
    mode http
    balance roundrobin
    option forwardfor
    option httpchk GET /readyz
    option redispatch
    timeout connect 2s
    timeout client 2m   # streams are never silent for longer than --sse-ping-interval
    timeout server 2m
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
    http-error status 503 content-type application/json hdr Retry-After 1 string '{no_server}'
"""
_NO_SERVER = {
    "errors": [
        {
            "code": "wfx.storeUnavailable",
            "logref": "2f4ac8d95b1e47a3a0d9c6e8731f5b24",
            "message": "no server is ready at the moment; try again later",
        }
    ]
}
"""What the balancer answers then, as servers do that cannot reach PostgreSQL."""
_SIDE = """
listen {side}
    bind 127.0.0.1:{port}
{servers}
"""
_SERVER = "    server server-{number} 127.0.0.1:{port} check port {north}"
"""Only the northbound side tells whether a server is ready."""


class Ports(NamedTuple):
    """Where both sides are reached."""

    north: int
    south: int


def start(processes: Processes, ports: Ports, servers: Sequence[Ports]) -> None:
    """Serve on these ports. Raises CannotRun."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise CannotRun("HAProxy is missing: install Debian's package haproxy")
    file = processes.folder / "haproxy.cfg"
    sides = [_side(side, ports, servers) for side in Ports._fields]
    file.write_text(_CONFIGURATION.format(no_server=json.dumps(_NO_SERVER)) + "".join(sides))
    processes.start(NAME, [program, "-db", "-f", str(file)])


def _side(side: str, ports: Ports, servers: Sequence[Ports]) -> str:
    lines = [
        _SERVER.format(number=number, port=getattr(server, side), north=server.north)
        for number, server in enumerate(servers, 1)
    ]
    return _SIDE.format(side=side, port=getattr(ports, side), servers="\n".join(lines))
