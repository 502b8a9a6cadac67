"""PostgreSQL of the cluster: the machine's own programs, in a private directory, reached by a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_cluster.processes import CannotRun, Processes, environment

NAME = "postgresql"
_USER = "wfx"
_AS_USER = f"--username={_USER}"
_PORT = 5432
"""Of the name of its socket."""
_DEADLINE = 60.0


def programs() -> Path:
    """Return the directory of the newest PostgreSQL on this machine, which Debian does not put on the path.

    Raises CannotRun.
    """
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda program: int(program.parts[-3])).parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise CannotRun("PostgreSQL is missing: install Debian's package postgresql")
    return Path(on_path).resolve().parent


def account() -> dict[str, Any]:
    """Return what Popen needs to run a program as somebody else if this is root: PostgreSQL refuses to run as root.

    Raises CannotRun.
    """
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise CannotRun("this is root, and there is no account postgres or nobody to run PostgreSQL as")


def start(processes: Processes, settings: Sequence[str] = ()) -> str:
    """Make a database and serve it, with these settings; returns its connection string. Raises CannotRun."""
    runs_as, folder = account(), _folder(processes)
    folder.mkdir(mode=0o700)
    if runs_as:
        os.chown(folder, runs_as["user"], runs_as["group"])
    data = f"--pgdata={folder / 'data'}"
    _run(processes, "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", _AS_USER, data)
    own = ("listen_addresses=", f"unix_socket_directories={folder}", f"port={_PORT}")
    command = [str(programs() / "postgres"), f"-D{folder / 'data'}", *(f"-c{each}" for each in (*own, *settings))]
    processes.start(NAME, command, runs_as)
    deadline = time.monotonic() + _DEADLINE
    while not _made(processes, _USER):
        processes.check(NAME)
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL does not answer within {_DEADLINE:g} s")
        time.sleep(0.1)
    return _connection_string(processes, _USER)


def add(processes: Processes, name: str) -> str:
    """Make one more database; returns its connection string. Raises CannotRun."""
    if not _made(processes, name):
        raise CannotRun(f"PostgreSQL did not make the database {name}: is there one already?")
    return _connection_string(processes, name)


def _folder(processes: Processes) -> Path:
    return processes.folder / "postgres"


def _connection_string(processes: Processes, name: str) -> str:
    return f"host={_folder(processes)} port={_PORT} user={_USER} dbname={name}"


def _made(processes: Processes, name: str) -> bool:
    return _run(processes, "createdb", f"--host={_folder(processes)}", f"--port={_PORT}", _AS_USER, name)


def _run(processes: Processes, program: str, *words: str) -> bool:
    """Run one of PostgreSQL's programs as who owns the server; tells whether it has succeeded."""
    command = [str(programs() / program), *words]
    done = subprocess.run(
        command, cwd=_folder(processes), env=environment(), capture_output=True, check=False, **account()
    )
    return done.returncode == 0
