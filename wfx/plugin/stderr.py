"""Forwards a plugin's standard error to the log, line by line and rate-limited."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)
LINE_LIMIT = 8_192
"""Bytes of a line that are kept; the rest is counted."""
LINES_A_SECOND = 500
"""Lines that are forwarded within one second; the rest is counted."""
LAST_LINES = 20
"""Lines that are remembered, to be told with a failure."""
LAST_LINE_LIMIT = 1_024
"""Bytes of a line that are remembered."""
_PRIORITY = re.compile(rb"<[0-7]>")
"""What a line may begin with, as in sd-daemon(3)."""
_FAILURE = re.compile(rb"^<[0-3]>", re.MULTILINE)
"""Error and worse."""


class LineForwarder:
    """Cuts bytes into lines, logs each as a debug record with the fields ``path`` and ``msg``, remembers the last."""

    def __init__(
        self,
        name: str,
        path: str,
        on_failures: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Label the records with the plugin's name and path; ``on_failures`` is told the number of errors."""
        self._name = name
        self._path = path
        self._on_failures = on_failures
        self._clock = clock
        self._line = bytearray()
        self._cut = 0
        self._second = 0
        self._lines = 0
        self._last: deque[bytes] = deque(maxlen=LAST_LINES)

    @property
    def last(self) -> str:
        """The last lines, also of those that were not forwarded, and of one that has no end yet."""
        lines = [*self._last, bytes(self._line[:LAST_LINE_LIMIT])] if self._line else self._last
        return "\n".join(_text(_unmarked(line)) for line in list(lines)[-LAST_LINES:])

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
        """Count lines without cutting them all out, which is what keeps a flood cheap."""
        lines = data.count(b"\n")
        if not lines:
            return [data]
        self._lines += lines
        complete, _, rest = (bytes(self._line) + data).rpartition(b"\n")
        self._line.clear()
        self._cut = 0
        self._last.extend(line[:LAST_LINE_LIMIT] for line in complete.rsplit(b"\n", LAST_LINES)[-LAST_LINES:])
        self._note_failures(complete)
        return [rest]

    def _extend(self, data: bytes) -> None:
        room = LINE_LIMIT - len(self._line)
        self._line += data[:room]
        self._cut += max(0, len(data) - room)

    def _forward(self) -> None:
        line = bytes(self._line)
        self._lines += 1
        self._last.append(line[:LAST_LINE_LIMIT])
        if self._lines <= LINES_A_SECOND:
            text = _text(_unmarked(line))
            self._record(f"{text} … and {self._cut} bytes more" if self._cut else text)
        self._line.clear()
        self._cut = 0
        self._note_failures(line)

    def _note_failures(self, lines: bytes) -> None:
        count = len(_FAILURE.findall(lines))
        if count:
            self._on_failures(count)

    def _tell_dropped(self) -> None:
        dropped = self._lines - LINES_A_SECOND
        if dropped > 0:
            self._record(f"({dropped} lines more were not forwarded: the limit is {LINES_A_SECOND} a second)")
            self._lines = 0

    def _record(self, text: str) -> None:
        _log.debug("plugin %s", self._name, extra={"fields": {"path": self._path, "msg": text}})


def _unmarked(line: bytes) -> bytes:
    """Leave out a priority."""
    return line[3:] if _PRIORITY.match(line) else line


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
