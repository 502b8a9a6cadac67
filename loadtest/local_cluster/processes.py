"""Processes in a private directory: started together, and gone with it, however whoever started them ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_STOP_DEADLINE = 30.0
_KEEPER = """
cat > /dev/null  # until whoever started it closes the pipe, or has ended in whatever way
pids=$(cat "$1/pids" 2> /dev/null)
for pid in $pids; do kill -TERM "$pid" 2> /dev/null; done
left=1500
for pid in $pids; do
    while kill -0 "$pid" 2> /dev/null && [ "$left" -gt 0 ]; do sleep 0.02; left=$((left - 1)); done
    kill -KILL "$pid" 2> /dev/null
done
rm -rf "$1"
"""


NOBODY_ELSE: Mapping[str, Any] = {}
"""The account that programs run by if they need no other, as Popen wants it."""
_MISLEADING = ("PG", "WFX_")
"""How variables begin that tell of other databases and servers."""


class CannotRun(Exception):
    """A program or a port is not to be had, or a process has ended; the message says which, and why or what to do."""


class Processes:
    """The directory and the processes. A shell that waits for the end of a pipe stops and removes them in the end."""

    def __init__(self) -> None:
        """Make the directory."""
        self.folder = Path(tempfile.mkdtemp(prefix="wfx-cluster-", dir="/tmp"))  # a socket's name has 107 bytes
        self.folder.chmod(0o711)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        """In the order in which they were started."""
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "sh", str(self.folder)], stdin=subprocess.PIPE, start_new_session=True
        )

    def __enter__(self) -> Self:
        """Do nothing more."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all, the last one first, and remove the directory."""
        for name in reversed(list(self._running)):
            self.stop(name)
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name: str, command: Sequence[str], account: Mapping[str, Any] = NOBODY_ELSE) -> None:
        """Start a program that logs to a file of this name. What a terminal sends does not come to it."""
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=environment(), **account,
            )  # fmt: skip
        self._note()

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop a process, and kill it if that takes too long."""
        process = self._running.pop(name)
        process.send_signal(how)
        try:
            process.wait(_STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._note()

    def log(self, name: str) -> Path:
        """Return the file that a process logs to."""
        return self.folder / f"{name}.log"

    def id_of(self, name: str) -> int:
        """Return the system's number of a process."""
        return self._running[name].pid

    def has_ended(self, name: str) -> bool:
        """Whether a process has ended by itself."""
        return self._running[name].poll() is not None

    def check(self, name: str) -> None:
        """Raise CannotRun if a process has ended."""
        if self.has_ended(name):
            said = self.log(name).read_text(errors="replace").splitlines()[-5:]
            raise CannotRun("\n".join([f"{name} has ended (status {self._running[name].returncode}):", *said]))

    def _note(self) -> None:
        """Write down, in one step, whom the keeper would have to stop."""
        new = self.folder / "pids.new"
        new.write_text("".join(f"{each.pid}\n" for each in self._running.values()))
        new.rename(self.folder / "pids")


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """Return the variables of the processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_MISLEADING)}
