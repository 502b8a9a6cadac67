"""The PostgreSQL of the tests itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from postgres_server import USER, VERSION, Postgres
from waiting import eventually, is_gone

from local_cluster.database import programs
from local_cluster.processes import CannotRun

_STARTS_A_SERVER = """
import sys, time
from postgres_server import Postgres
server = Postgres()
server.start()
print(server.process.pid, server.folder, flush=True)
time.sleep(600)
"""


def test_no_server_is_left_behind() -> None:
    """A server whose tests are killed ends as well, and its directory goes with it."""
    tests = Path(__file__).parents[2]
    command = [sys.executable, "-c", _STARTS_A_SERVER]
    with subprocess.Popen(command, cwd=tests, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pid, folder = killed.stdout.readline().split()
        server = psutil.Process(int(pid))
        killed.send_signal(signal.SIGKILL)
    eventually(lambda: is_gone(server), "the server ends")
    eventually(lambda: not Path(folder).exists(), "its directory is removed")


def test_version(postgres: Postgres) -> None:
    """The server has the version that was asked for."""
    (found,) = postgres.sql("SHOW server_version")
    assert found.startswith(f"{os.environ[VERSION]}." if VERSION in os.environ else "")


def test_own_user(postgres: Postgres, database: str) -> None:
    """The databases of the tests belong to a user with no rights beyond them, who needs a password."""
    owner = f"SELECT rolname, rolsuper FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = '{database}'"
    assert postgres.sql(owner) == [f"{USER}|f"]
    with pytest.raises(AssertionError, match="no password supplied"):
        postgres.run("psql", "-w", "-c", "SELECT 1", postgres.conninfo(database, password=""))


def test_restart() -> None:
    """A server that failed comes back on the port it had, with what was committed."""
    with Postgres() as server:
        port = server.port
        server.sql("CREATE TABLE kept (n int)")
        server.restart("immediate")
        assert server.port == port
        assert server.sql("SELECT count(*) FROM kept") == ["0"]


def test_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no PostgreSQL the tests fail, and say what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("pathlib.Path.glob", lambda *_: iter(()))
    with pytest.raises(CannotRun, match=r"install Debian's package postgresql"):
        programs()
