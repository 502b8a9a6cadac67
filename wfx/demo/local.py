"""Service in a process of its own on free ports, for the demo, the benchmark and the tests."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

START_DEADLINE = 60.0
STOP_DEADLINE = 60.0
_LAST_LINES = 2.0
"""Seconds that reading what was written last may take, unless a process that the service has started keeps the pipe."""


class LocalService:
    """Starts ``wfx`` on free ports and stops it again by its process id."""

    def __init__(
        self, folder: Path, *options: str, environment: dict[str, str] | None = None, program: str = ""
    ) -> None:
        """Run in ``folder``, where ``wfx.db`` comes to lie, with these options besides the ports.

        Without a ``program`` it is the service that this module belongs to.
        """
        self.program = [program] if program else [sys.executable, "-m", "wfx"]
        self.folder = folder
        self.options: Sequence[str] = options
        self.environment = environment or {}
        self.lines: list[str] = []
        self.ports = {"north": 0, "south": 0}
        self.process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def north(self) -> str:
        """The address of the management side."""
        return f"http://127.0.0.1:{self.ports['north']}"

    @property
    def south(self) -> str:
        """The address of the client side."""
        return f"http://127.0.0.1:{self.ports['south']}"

    def start(self) -> Self:
        """Start, and return when both sides listen; a restart takes the same ports again."""
        command = [
            *self.program, "--client-host=127.0.0.1", "--mgmt-host=127.0.0.1",
            f"--client-port={self.ports['south']}", f"--mgmt-port={self.ports['north']}",
            "--log-format=json", *self.options,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, **self.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._drain, args=(self.process, fresh), daemon=True)
        self._reader.start()
        self._await_listeners(fresh)
        return self

    def _drain(self, process: subprocess.Popen[str], fresh: queue.Queue[str | None]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line)
                fresh.put(line)
        fresh.put(None)

    def _await_listeners(self, fresh: queue.Queue[str | None]) -> None:
        deadline = time.monotonic() + START_DEADLINE
        waiting = {"north", "south"}
        while waiting:
            line = fresh.get(timeout=max(0.1, deadline - time.monotonic()))
            if line is None:
                raise RuntimeError("wfx ended at start:\n" + "".join(self.lines))
            record = json.loads(line) if line.startswith("{") else {}
            if record.get("message") == "listening" and record["scheme"] == "http":
                self.ports[record["side"]] = int(record["addr"].rpartition(":")[2])
                waiting.discard(record["side"])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit status; ``lines`` are complete then."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if self._reader is not None:  # else its output goes elsewhere
            self._reader.join(_LAST_LINES)
        return status

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
