"""Service in a process of its own that listens in every way there is."""

from __future__ import annotations

import json
import queue
import time
from pathlib import Path

from wfx.demo.local import START_DEADLINE, LocalService


class Everywhere(LocalService):
    """Starts ``wfx`` with listeners of several schemes, on free ports and with sockets in its folder."""

    def __init__(self, folder: Path, schemes: str, *options: str, environment: dict[str, str] | None = None) -> None:
        """Listen by these schemes, with these options besides."""
        super().__init__(
            folder, f"--scheme={schemes}", "--client-tls-host=127.0.0.1", "--client-tls-port=0", "--mgmt-tls-port=0",
            "--client-unix-socket=client.sock", "--mgmt-unix-socket=mgmt.sock", *options, environment=environment,
        )  # fmt: skip
        self._awaited = {(scheme, side) for scheme in schemes.split(",") for side in ("north", "south")}
        self.addresses: dict[tuple[str, str], str] = {}
        """Where it listens, by scheme and side."""

    def port(self, scheme: str, side: str) -> int:
        """The port of a TCP listener."""
        return int(self.addresses[scheme, side].rpartition(":")[2])

    def socket(self, side: str) -> str:
        """The path of a Unix listener."""
        return str(self.folder / self.addresses["unix", side])

    def records(self, message: str) -> list[dict[str, object]]:
        """The log records with this message."""
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [record for record in found if record["message"] == message]

    def _await_listeners(self, fresh: queue.Queue[str | None]) -> None:
        deadline = time.monotonic() + START_DEADLINE
        self.addresses.clear()
        while self._awaited - set(self.addresses):
            assert time.monotonic() < deadline, "it does not listen"
            line = fresh.get(timeout=START_DEADLINE)
            if line is None:
                raise RuntimeError("wfx ended at start:\n" + "".join(self.lines))
            record = json.loads(line) if line.startswith("{") else {}
            if record.get("message") == "listening":
                self.addresses[record["scheme"], record["side"]] = record["addr"]
