"""PostgreSQL of the cluster: the machine's own programs, in a private directory, reached by a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from local_cluster.processes import CannotRun, Processes, environment

NAME = "postgresql"
_USER = "wfx"
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


def start(processes: Processes) -> str:
    """Make a database and serve it; returns its connection string. Raises CannotRun."""
    bin_, runs_as, folder = programs(), account(), processes.folder / "postgres"
    folder.mkdir(mode=0o700)
    if runs_as:
        os.chown(folder, runs_as["user"], runs_as["group"])

    def run(program: str, *words: str) -> bool:
        command = [str(bin_ / program), *words]
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False, **runs_as)
        return done.returncode == 0

    data, where = folder / "data", (f"--host={folder}", f"--port={_PORT}", f"--username={_USER}")
    run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", where[-1], f"--pgdata={data}")
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", f"port={_PORT}")
    processes.start(NAME, [str(bin_ / "postgres"), f"-D{data}", *(f"-c{each}" for each in settings)], runs_as)
    deadline = time.monotonic() + _DEADLINE
    while not run("createdb", *where, _USER):
        processes.check(NAME)
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL does not answer within {_DEADLINE:g} s")
        time.sleep(0.1)
    return f"host={folder} port={_PORT} user={_USER} dbname={_USER}"
