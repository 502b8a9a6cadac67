"""Log writer thread with a bounded queue, so that a blocked log sink never blocks the service."""

from __future__ import annotations

import logging
import os
import select
import threading
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

ROOM = 4 * 1024 * 1024
"""Bytes of records that may wait to be written; what does not fit is dropped and counted."""
FLUSH_DEADLINE = 1.0
"""Seconds that the end of the process waits for what is not yet written."""


class QueuedHandler(logging.Handler):
    """Takes records at once; a thread writes them as fast as they are read.

    A reader that stands still, or is gone, costs records and nothing else. Where some are missing, a record says how
    many, as soon as writing works again.
    """

    def __init__(self) -> None:
        """Begin to write."""
        super().__init__()
        self.dropped = 0
        """Records that were not written and never will be."""
        self._changed = threading.Condition()
        self._waiting: list[bytes | int] = []
        """Records, and between them how many were dropped."""
        self._size = 0
        """Bytes of the records that wait or are being written."""
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return a record as it is written."""
        raise NotImplementedError

    def write(self, entries: Sequence[bytes]) -> Sequence[int]:
        """Write entries, for as long as that takes; return the indices of those that were not written whole."""
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """Encode a record and leave it to the thread."""
        try:
            entry = self.encode(record)
        except Exception as exc:  # noqa: BLE001  # a record that cannot be formatted fails no request
            entry = self.encode(_unreadable(record, exc))  # the standard library would print it, with its secrets
        with self._changed:
            if self._size + len(entry) > ROOM:
                self.dropped += 1
                self._drop(1, len(self._waiting))
                return
            self._waiting.append(entry)
            self._size += len(entry)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: self._size == 0, FLUSH_DEADLINE)

    def _drop(self, number: int, place: int) -> None:
        """Count dropped records at this place among those that wait."""
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
            entries = [entry if isinstance(entry, bytes) else self.encode(_missing(entry)) for entry in taken]
            lost = [taken[index] for index in self.write(entries)]
            with self._changed:
                if lost:
                    self.dropped += sum(isinstance(entry, bytes) for entry in lost)
                    self._drop(sum(entry if isinstance(entry, int) else 1 for entry in lost), 0)
                self._size -= sum(len(entry) for entry in taken if isinstance(entry, bytes))
                self._changed.notify_all()


class LogWriter(QueuedHandler):
    """Writes records as lines to an open file, pipe or terminal."""

    def __init__(self, descriptor: int) -> None:
        """Write to this one."""
        self._descriptor = descriptor
        self._torn = False
        """Whether the last thing written is half a line."""
        super().__init__()

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return a record as a line."""
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")

    def write(self, entries: Sequence[bytes]) -> Sequence[int]:
        """Write lines; what comes behind half a line begins with a line of its own."""
        data = [b"\n" * self._torn + entries[0], *entries[1:]]
        written = self._write(b"".join(data))
        return range(bisect_right(list(accumulate(map(len, data))), written), len(entries))

    def _write(self, data: bytes) -> int:
        """Write what can be written; returns how many bytes it was."""
        written, view = 0, memoryview(data)
        while written < len(data):
            try:
                written += os.write(self._descriptor, view[written : _end_of_piece(data, written)])
            except BlockingIOError:  # somebody shares the pipe with us and made it so
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
            except OSError:
                break
        self._torn = not data[:written].endswith(b"\n") if written else self._torn
        return written


def _end_of_piece(data: bytes, start: int) -> int:
    """Return where to end a write that others who write to the same pipe cannot tear: behind as many lines as fit.

    A line that is longer than a pipe takes at once goes by itself, and may be torn while the pipe is full.
    """
    end = data.rfind(b"\n", start, start + select.PIPE_BUF)
    return (end if end >= 0 else data.index(b"\n", start)) + 1


def _missing(count: int) -> logging.LogRecord:
    """Say how many records are missing."""
    return _own_record("log records were dropped, since they could not be written", logging.WARNING, count=count)


def _unreadable(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    """Say that a record cannot be shown, and where it came from."""
    origin = f"{record.module}.py:{record.lineno}"
    reason = type(error).__name__
    return _own_record("a log record cannot be formatted", logging.ERROR, origin=origin, reason=reason)


def _own_record(message: str, level: int, **fields: object) -> logging.LogRecord:
    module = __name__.rpartition(".")[2]
    return logging.makeLogRecord({"levelno": level, "module": module, "fields": fields, "msg": message})
