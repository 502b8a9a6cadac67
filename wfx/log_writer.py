"""Log writer thread with a bounded queue, so that a blocked log sink never blocks the service."""

from __future__ import annotations

import logging
import os
import select
import threading
from itertools import accumulate

ROOM = 4 * 1024 * 1024
"""Bytes of records that may wait to be written; what does not fit is dropped and counted."""
FLUSH_DEADLINE = 1.0
"""Seconds that the end of the process waits for what is not yet written."""


class LogWriter(logging.Handler):
    """Takes records at once and writes them as fast as they are read.

    A reader that stands still, or is gone, costs records and nothing else. Where some are missing, a record says how
    many, as soon as writing works again.
    """

    def __init__(self, descriptor: int) -> None:
        """Write to this open file, pipe or terminal."""
        super().__init__()
        self.dropped = 0
        """Records that were not written and never will be."""
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._waiting: list[bytes | int] = []
        """Lines, and between them how many were dropped."""
        self._size = 0
        """Bytes of the lines that wait or are being written."""
        self._torn = False
        """Whether the last thing written is half a line."""
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record and leave it to the thread."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001  # as all handlers: a record that cannot be formatted fails no request
            self.handleError(record)
            return
        with self._changed:
            if self._size + len(line) > ROOM:
                self.dropped += 1
                self._drop(1, len(self._waiting))
                return
            self._waiting.append(line)
            self._size += len(line)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: self._size == 0, FLUSH_DEADLINE)

    def _drop(self, number: int, place: int) -> None:
        """Count dropped lines at this place among those that wait."""
        before = self._waiting[place - 1] if place else None
        if isinstance(before, int):
            self._waiting[place - 1] = before + number
        else:
            self._waiting.insert(place, number)

    def _write_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._size > 0)
                taken, self._waiting = self._waiting, []
            lines = [entry if isinstance(entry, bytes) else self._word(entry) for entry in taken]
            written = self._write(b"".join(lines))
            lost = [entry for entry, end in zip(taken, accumulate(map(len, lines)), strict=True) if end > written]
            with self._changed:
                if lost:
                    self.dropped += sum(isinstance(entry, bytes) for entry in lost)
                    self._drop(sum(entry if isinstance(entry, int) else 1 for entry in lost), 0)
                self._size -= sum(len(entry) for entry in taken if isinstance(entry, bytes))
                self._changed.notify_all()

    def _word(self, dropped: int) -> bytes:
        """Say how many records are missing, on a line of its own."""
        record = logging.makeLogRecord({
            "levelno": logging.WARNING, "module": __name__.rpartition(".")[2], "fields": {"count": dropped},
            "msg": "log records were dropped, since they could not be written",
        })  # fmt: skip
        return b"\n" * self._torn + f"{self.format(record)}\n".encode()

    def _write(self, data: bytes) -> int:
        """Write what can be written; returns how many bytes it was."""
        written, view = 0, memoryview(data)
        while written < len(data):
            try:
                written += os.write(self._descriptor, view[written:])
            except BlockingIOError:  # somebody shares the pipe with us and made it so
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
            except OSError:
                break
        self._torn = not data[:written].endswith(b"\n") if written else self._torn
        return written
