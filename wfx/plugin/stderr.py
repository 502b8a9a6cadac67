"""Forwards what a plugin writes to standard error to the log: line by line, and no more than the log can bear."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)
LINE_LIMIT = 8_192
"""Bytes of a line that are kept; the rest is counted."""
LINES_A_SECOND = 500
"""Lines that are forwarded within one second; the rest is counted."""


class LineForwarder:
    """Cuts bytes into lines and logs each as a debug record with the fields ``path`` and ``msg``."""

    def __init__(self, name: str, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Label the records with the plugin's name and path."""
        self._name = name
        self._path = path
        self._clock = clock
        self._line = bytearray()
        self._cut = 0
        self._second = 0
        self._lines = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; forward the lines they complete."""
        *ends, rest = data.split(b"\n") if self._open() else self._count(data)
        for end in ends:
            self._extend(end)
            self._forward()
        self._extend(rest)

    def close(self) -> None:
        """Forward what is left, and tell what was dropped."""
        if self._line:
            self._forward()
        self._tell_dropped()

    def _open(self) -> bool:
        """Whether this second still has room; a new second starts with a word on what the last one dropped."""
        second = int(self._clock())
        if second != self._second:
            self._tell_dropped()
            self._second, self._lines = second, 0
        return self._lines < LINES_A_SECOND

    def _count(self, data: bytes) -> list[bytes]:
        """Count lines without cutting them out, which is what keeps a flood cheap."""
        lines = data.count(b"\n")
        if not lines:
            return [data]
        self._lines += lines
        self._line.clear()
        self._cut = 0
        return [data[data.rindex(b"\n") + 1 :]]

    def _extend(self, data: bytes) -> None:
        room = LINE_LIMIT - len(self._line)
        self._line += data[:room]
        self._cut += max(0, len(data) - room)

    def _forward(self) -> None:
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            text = self._line.decode("utf-8", "backslashreplace")
            self._record(f"{text} … and {self._cut} bytes more" if self._cut else text)
        self._line.clear()
        self._cut = 0

    def _tell_dropped(self) -> None:
        dropped = self._lines - LINES_A_SECOND
        if dropped > 0:
            self._record(f"({dropped} lines more were not forwarded: the limit is {LINES_A_SECOND} a second)")
            self._lines = 0

    def _record(self, text: str) -> None:
        _log.debug("plugin %s", self._name, extra={"fields": {"path": self._path, "msg": text}})
