"""The reference's server, where its program is given, on free ports and a database."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from local_cluster.processes import free_port

_DEADLINE = 30.0
"""Seconds that its start may take."""


@dataclass
class Reference:
    """A server of the reference implementation; its command line is ours for what is used here."""

    program: Path
    folder: Path
    database: str
    """The connection string of a PostgreSQL database."""
    ports: dict[str, int] = field(default_factory=lambda: {"north": free_port(), "south": free_port()})

    @property
    def north(self) -> str:
        """The address of the management side."""
        return f"http://127.0.0.1:{self.ports['north']}"

    @property
    def south(self) -> str:
        """The address of the client side."""
        return f"http://127.0.0.1:{self.ports['south']}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Start it, wait until it answers, and stop it in the end."""
        command = [
            str(self.program), "--storage=postgres", f"--storage-opt={self.database} sslmode=disable",
            "--log-level=error", "--client-host=127.0.0.1", "--mgmt-host=127.0.0.1",
            f"--client-port={self.ports['south']}", f"--mgmt-port={self.ports['north']}",
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                self._await_answer(process)
                yield self
            finally:
                process.terminate()

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _DEADLINE
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.south}/health", trust_env=False).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{self.program} does not serve: it ended, or /health was not up in {_DEADLINE:g} s")
