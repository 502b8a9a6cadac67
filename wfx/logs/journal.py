"""Native protocol of systemd's journal: one datagram with fields for each record (JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import array
import errno
import fcntl
import json
import logging
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from wfx.log_writer import QueuedHandler
from wfx.logs.levels import name_of
from wfx.logs.lines import field_text
from wfx.logs.record import content_of

SOCKET = "/run/systemd/journal/socket"
_VARIABLE = "JOURNAL_STREAM"
_UNFIT = re.compile("[^A-Z0-9_]")
_LONGEST_NAME = 64
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)
_GONE = (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTCONN)
"""Nothing at all can be sent: the journal is not there."""
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
"""Of syslog(3), from these levels on."""


def is_reached(environment: Mapping[str, str]) -> bool:
    """Tell whether standard output or standard error is the journal, by systemd's variable, and its socket is there."""
    device, _, inode = environment.get(_VARIABLE, "").partition(":")
    for descriptor in (1, 2):
        with suppress(OSError):
            found = os.fstat(descriptor)
            if (str(found.st_dev), str(found.st_ino)) == (device, inode):
                return why_unreachable() == ""
    return False


def why_unreachable() -> str:
    """Return why no record can be sent; empty if it can."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect(SOCKET)
        except OSError as exc:
            return f"{SOCKET}: {exc.strerror or exc}"
    return ""


def encode(record: logging.LogRecord) -> bytes:
    """Encode a record; the names of its fields are in capitals."""
    return b"".join(_field(name, value) for name, value in _fields(record))


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    content = content_of(record)
    priority = next(number for level, number in _PRIORITIES if record.levelno >= level)
    file, _, line = content.caller.partition(":")
    yield from (("MESSAGE", content.message), ("PRIORITY", str(priority)), ("SYSLOG_IDENTIFIER", "wfx"))
    yield from (
        ("LEVEL", name_of(record.levelno)),
        ("CALLER", content.caller),
        ("CODE_FILE", file),
        ("CODE_LINE", line),
    )
    for name, value in content.fields.items():
        yield (
            _name(name),
            json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else field_text(value),
        )
    if content.traceback:
        yield "ERROR", content.traceback


def _name(name: str) -> str:
    """Return a name that the journal takes: it leaves out fields with others."""
    return _UNFIT.sub("_", name.upper()).lstrip("_0123456789")[:_LONGEST_NAME] or "FIELD"


def _field(name: str, value: str) -> bytes:
    encoded = value.encode("utf-8", "backslashreplace")
    if b"\n" not in encoded:
        return b"%b=%b\n" % (name.encode(), encoded)
    return b"%b\n%b%b\n" % (name.encode(), len(encoded).to_bytes(8, "little"), encoded)


class JournalWriter(QueuedHandler):
    """Sends records to the journal; a journal that stands still or is gone costs records and nothing else."""

    def __init__(self) -> None:
        """Send to the socket of this machine."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__()

    def encode(self, record: logging.LogRecord) -> bytes:
        """See :class:`wfx.log_writer.QueuedHandler`."""
        return encode(record)

    def write(self, entries: Sequence[bytes]) -> Sequence[int]:
        """See :class:`wfx.log_writer.QueuedHandler`; an entry that alone cannot be sent keeps no other one back."""
        lost: list[int] = []
        for number, entry in enumerate(entries):
            try:
                self._send(entry)
            except OSError as exc:
                if exc.errno in _GONE:
                    return [*lost, *range(number, len(entries))]
                lost.append(number)
        return lost

    def _send(self, entry: bytes) -> None:
        try:
            self._socket.sendto(entry, SOCKET)
        except OSError as exc:
            if exc.errno not in _TOO_LARGE:
                raise
            self._send_in_memory(entry)

    def _send_in_memory(self, entry: bytes) -> None:
        """Send what is too large for a datagram as a sealed file in memory."""
        descriptor = os.memfd_create("wfx-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(entry)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            self._socket.sendmsg([], [rights], 0, SOCKET)
        finally:
            os.close(descriptor)
