"""PgBouncer in front of a PostgreSQL of the tests, pooling transactions."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from postgres_server import PASSWORD, USER, Postgres, free_port
from waiting import eventually

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = 5
auth_type = plain
auth_file = {users}
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[int]:
    """Run PgBouncer; yields its port."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert program, "pgbouncer is missing: install Debian's package pgbouncer, or run .ci/packages, which does"
    port = free_port()
    users = server.own_file("pgbouncer/users", f'"{USER}" "{PASSWORD}"\n'.encode())
    said = _SETTINGS.format(server=server.port, port=port, users=users, folder=users.parent)
    settings = server.own_file("pgbouncer/settings.ini", said.encode())
    with (server.folder / "pgbouncer/log").open("wb") as log:
        process = server.start_program([program, str(settings)], stdout=log, stderr=log)
    try:
        eventually(lambda: _accepts(port, process), "PgBouncer accepts connections")
        yield port
    finally:
        process.kill()
        process.wait(60)


def _accepts(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "PgBouncer ends"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
