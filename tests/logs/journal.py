"""A journal: a datagram socket like that of systemd, which keeps what it is sent."""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from tests.waiting import eventually
from wfx.demo.local import LocalService

SERVING = """
import sys
from wfx.logs import journal
journal.SOCKET = sys.argv.pop(1)
from wfx.cli import main
sys.exit(main())
"""
"""The program, with the journal at another place: its first argument."""


def parsed(datagram: bytes) -> dict[str, str]:
    """Read the fields of an entry, as JOURNAL_NATIVE_PROTOCOL describes them."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[8 + size :]
            assert rest[:1] == b"\n"
            rest = rest[1:]
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


class Journal:
    """Receives entries in a thread until it is left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw: list[bytes] = []
        self.files = 0
        """How many entries came as files in memory."""

    @property
    def entries(self) -> list[dict[str, str]]:
        """What was received."""
        return [parsed(datagram) for datagram in list(self.raw)]

    def await_entries(self, message: str, count: int = 1) -> list[dict[str, str]]:
        """Return the entries with this message, as soon as there are so many."""
        found: list[dict[str, str]] = []

        def enough() -> bool:
            found[:] = [entry for entry in self.entries if entry["MESSAGE"] == message]
            return len(found) >= count

        eventually(enough, f"{count} times: {message}")
        return found

    def __enter__(self) -> Self:
        """Begin to receive."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; the socket is gone then."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self.path))
        self._thread.join()
        self._socket.close()
        self.path.unlink()

    def _receive(self) -> None:
        while True:
            data, rights, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
            if rights:
                (descriptor,) = array.array("i", rights[0][2])
                data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
                os.close(descriptor)
                self.files += 1
            if not data:
                return
            self.raw.append(data)


class Journaled(LocalService):
    """A service that logs to a journal, which is asked where it listens."""

    def __init__(self, folder: Path, journal: Journal, *options: str) -> None:
        super().__init__(folder, *options)
        self.journal = journal

    def start(self) -> Self:
        """Start; return when both sides listen."""
        command = [
            sys.executable, "-c", SERVING, str(self.journal.path), "--client-host=127.0.0.1", "--client-port=0",
            "--mgmt-port=0", *self.options,
        ]  # fmt: skip
        with (self.folder / "output").open("wb") as output:
            found = os.fstat(output.fileno())
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=output, stderr=output, start_new_session=True, text=True,
                env={**os.environ, **self.environment, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
            )  # fmt: skip
        self.await_listening()
        return self

    def await_listening(self) -> None:
        """Wait until both sides listen, and see where."""
        for entry in self.journal.await_entries("listening", 2):
            self.ports[entry["SIDE"]] = int(entry["ADDR"].rpartition(":")[2])
