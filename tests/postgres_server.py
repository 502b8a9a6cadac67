"""PostgreSQL servers of the tests: private, on loopback and a Unix socket, gone with the tests however they end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from waiting import eventually

from local_cluster.database import account, programs
from tests.postgres_versions.programs import own_copy

VERSION = "TESTED_POSTGRES"
"""The variable that names the version of all servers, if it is another than Debian's."""
USER = "wfx"
"""Owner of the databases: no superuser, as in production."""
PASSWORD = "s3cret of the tests"
SUPERUSER = "postgres"
"""Who may do anything, on the socket without a password."""
_STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SETTINGS = (
    "fsync=off",  # the machine does not lose power while tests run, and no test may depend on the disk's speed
    "full_page_writes=off",
    "autovacuum=off",  # no test may depend on when it comes
    "shared_buffers=16MB",
    "max_wal_size=1GB",  # the default, but for clusters with small segments
    "listen_addresses=127.0.0.1",
    "logging_collector=off",
)
_MADE: dict[str, IO[bytes]] = {}
"""What initdb has made in this process, packed in a file without a name, by the version of PostgreSQL."""
_KEEPER = """
cat > /dev/null  # until whoever started it closes the pipe, or has ended in whatever way
for each in "$1"/*/*.pid; do
    pid=$(head -n 1 "$each" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null || continue
    left=1000
    while [ -e "$each" ] && kill -0 "$pid" 2> /dev/null && [ "$left" -gt 0 ]; do sleep 0.02; left=$((left - 1)); done
done
rm -rf "$1"
"""


class Postgres:
    """A PostgreSQL server with a directory of its own."""

    def __init__(self, primary: Postgres | None = None) -> None:
        """Make the database cluster, or the standby of another server; ``start`` starts it."""
        self._account = account()
        self.folder = Path(tempfile.mkdtemp(prefix="wfx-postgres-", dir="/tmp"))  # a socket's name has 107 bytes
        if "user" in self._account:
            os.chown(self.folder, self._account["user"], self._account["group"])
        version = os.environ.get(VERSION, "")
        self._servers = own_copy(version, self.folder) if version else programs()
        self._keeper = self.start_program(["sh", "-c", _KEEPER, "sh", str(self.folder)], stdin=subprocess.PIPE)
        self.data = self.folder / "data"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._is_standby = primary is not None
        if primary is None:
            self._make_cluster(version)
        else:
            self._copy(primary)

    def _make_cluster(self, version: str) -> None:
        """Have initdb make the cluster, or unpack the one that it has made for this process before."""
        if version in _MADE:
            _MADE[version].seek(0)
            self._done(self.start_program(["tar", "-x"], stdin=_MADE[version], stderr=subprocess.PIPE))
            return
        self.run("initdb", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8",
                 "--locale=C.UTF-8", "--wal-segsize=1", f"--username={SUPERUSER}", f"--pgdata={self.data}")  # fmt: skip
        _MADE[version] = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as this process lives
        packing = ["tar", "-c", self.data.name]
        self._done(self.start_program(packing, stdout=_MADE[version], stderr=subprocess.PIPE))

    def _copy(self, primary: Postgres) -> None:
        """Copy a running server, of whichever version: pg_basebackup takes more, and Debian's no newer ones."""
        start, stop = "pg_backup_start('', true)", "pg_backup_stop(false)"
        if int(primary.sql("SHOW server_version_num")[0]) < 15_00_00:
            start, stop = "pg_start_backup('', true, false)", "pg_stop_backup(false, false)"
        _, *label = primary.sql(
            f"SELECT {start};\n\\! cp -r {primary.data} {self.data} 2> /dev/null\nSELECT labelfile FROM {stop};"
        )
        (self.data / "postmaster.pid").unlink()
        self.own_file("data/backup_label", "\n".join(label).encode())
        self.own_file("data/standby.signal", b"")
        where = f"primary_conninfo = 'host={primary.folder} port={primary.port} user={SUPERUSER}'\n"
        self.own_file("data/postgresql.auto.conf", where.encode())

    def __enter__(self) -> Self:
        """Start the server, with the user who owns the databases of the tests."""
        self.start()
        if not self._is_standby:
            self.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and remove the directory."""
        self.stop("immediate")
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(60)

    def start(self, *settings: str) -> None:
        """Start the server, on the port it had before, and wait until it accepts connections."""
        for _ in range(5):
            port = self.port or free_port()
            if self._started(port, settings):
                self.port = port
                return
        raise AssertionError(f"PostgreSQL does not start:\n{self.log()}")

    def _started(self, port: int, settings: tuple[str, ...]) -> bool:
        own = (f"port={port}", f"unix_socket_directories={self.folder}")
        words = [f"-c{each}" for each in (*_SETTINGS, *settings, *own)]
        with (self.folder / "log").open("ab") as log:
            self.process = process = self.start_program(
                [self._path("postgres"), f"-D{self.data}", *words], stdout=log, stderr=log
            )
        eventually(lambda: self._says_ready() or process.poll() is not None, "PostgreSQL starts")
        return process.poll() is None

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        assert self.process is not None
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def stop(self, how: str = "fast") -> None:
        """Stop the server: ``smart`` waits for clients, ``fast`` ends them, ``immediate`` recovers at the start."""
        if self.process is not None:
            self.process.send_signal(_STOP[how])
            self.process.wait(60)
            self.process = None

    def restart(self, how: str = "fast", settings: tuple[str, ...] = ()) -> None:
        """Stop and start again, on the same port, with these settings."""
        self.stop(how)
        self.start(*settings)

    def catch_up_with(self, primary: Postgres) -> None:
        """Wait until this standby has all that its primary has by now."""
        (written,) = primary.sql("SELECT pg_current_wal_lsn()")
        have = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        eventually(lambda: self.sql(have) == ["t"], "the standby has what the primary has")

    def promote(self) -> None:
        """Make this standby a primary."""
        self._is_standby = False
        assert self.sql("SELECT pg_promote()") == ["t"]

    def own_file(self, name: str, content: bytes) -> Path:
        """Write a file that the server, and nobody else, may read."""
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o600)
        if "user" in self._account:
            for path in (file, file.parent):
                os.chown(path, self._account["user"], self._account["group"])
        return file

    def log(self) -> str:
        """Return what the server has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def run(self, program: str, *words: str, text: str = "") -> str:
        """Run one of PostgreSQL's programs as who owns the server; returns what it prints."""
        return self._piped([self._path(program), *words], text.encode()).decode()

    def _piped(self, command: list[str], given: bytes = b"") -> bytes:
        """Run a program as who owns the server, which reads what is given; returns what it prints."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return self._done(self.start_program(command, **pipes), given)

    @staticmethod
    def _done(process: subprocess.Popen[bytes], given: bytes | None = None) -> bytes:
        """Wait for a program to succeed; returns what it prints, if that goes to a pipe."""
        printed, complaint = process.communicate(given, timeout=120)
        assert process.returncode == 0, f"{process.args}: {complaint.decode(errors='replace')}"
        return printed

    def sql(self, text: str, database: str = "postgres") -> list[str]:
        """Run statements as the superuser, each by itself; returns the rows of their answers as psql prints them."""
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", SUPERUSER, "-d", database)
        return self.run("psql", "-XAtq", "-vON_ERROR_STOP=1", *where, text=text).splitlines()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Make a database as a copy of another one; yields its name. It goes in the end, whoever is connected then."""
        name = f"wfx_{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {template}")
        try:
            yield name
        finally:
            if self.process is not None and self.process.poll() is None:
                self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def conninfo(self, database: str, **others: object) -> str:
        """Return the connection string of a database, over TCP on loopback and with a password."""
        parts = {
            "host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD, "dbname": database, **others
        }  # fmt: skip
        return " ".join(f"{key}={_quoted(str(value))}" for key, value in parts.items())

    def _path(self, program: str) -> str:
        """Find a program; other versions than Debian's have only those that make and run servers."""
        own = self._servers / program
        return str(own if own.exists() else programs() / program)

    def start_program(
        self,
        command: list[str],
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a program as who owns the server, in its directory."""
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=self.folder, env=_environment(), umask=0o077,
            start_new_session=True, **self._account,
        )  # fmt: skip


def _environment() -> Mapping[str, str]:
    """What a server has no use for may mislead it: where others' servers are, and in which language to log."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"}


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _quoted(value: str) -> str:
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
