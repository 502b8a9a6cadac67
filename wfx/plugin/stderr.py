"""Forwards a plugin's standard error to the log, line by line and rate-limited."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable

from wfx import logs
from wfx.plugin.key_lines import KeyLines, abridged

_log = logging.getLogger(__name__)
LINE_LIMIT = 8_192
"""Bytes of a line that are kept; the rest is counted."""
LINES_A_SECOND = 500
"""Lines that are forwarded within one second; the rest is counted."""
BYTES_A_SECOND = 256 * 1024
"""Bytes of these lines: looking for secrets in them takes its time."""
LAST_LINES = 20
"""Lines that are remembered, to be told with a failure."""
LAST_LINE_LIMIT = 1_024
"""Bytes of a remembered line that are told."""
MARGIN = 512
"""Bytes that are kept behind these limits, so that a secret is recognised where a line is cut."""
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
        """Bytes of the line that were not kept."""
        self._unkept = b""
        """These bytes, abridged."""
        self._second = 0
        self._lines = 0
        self._bytes = 0
        self._dropped = 0
        self._key_lines = KeyLines()
        self._last: deque[bytes] = deque(maxlen=LAST_LINES)

    @property
    def last(self) -> str:
        """The last lines, also of those that were not forwarded, and of one that has no end yet."""
        lines = list(self._last)
        if self._line:
            lines.append(_kept(self._key_lines.peek(bytes(self._line))))
        beginnings = (_beginning(line, LAST_LINE_LIMIT, 0) for line in lines[-LAST_LINES:])
        return "\n".join(logs.beginning(each.text, each.most).text for each in beginnings)

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
            self._second, self._lines, self._bytes = second, 0, 0
        return self._has_room()

    def _has_room(self) -> bool:
        return self._lines < LINES_A_SECOND and self._bytes < BYTES_A_SECOND

    def _count(self, data: bytes) -> list[bytes]:
        """Count lines without cutting them all out, which is what keeps a flood cheap."""
        dropped = data.count(b"\n")
        if not dropped:
            return [data]
        self._dropped += dropped
        complete, _, rest = (bytes(self._line) + self._unkept + data).rpartition(b"\n")
        self._clear()
        lines = complete.rsplit(b"\n", LAST_LINES)
        if len(lines) > LAST_LINES:
            self._key_lines.skip(lines.pop(0))
        self._last.extend(_kept(self._key_lines.shown(line)) for line in lines)
        self._note_failures(complete)
        return [rest]

    def _extend(self, data: bytes) -> None:
        room = LINE_LIMIT + MARGIN - len(self._line)
        self._line += data[:room]
        if len(data) > room:
            self._cut += len(data) - room
            self._unkept = abridged((self._unkept or bytes(self._line)) + data[room:])

    def _clear(self) -> None:
        self._line.clear()
        self._cut = 0
        self._unkept = b""

    def _forward(self) -> None:
        line = self._key_lines.shown(bytes(self._line), self._unkept)
        self._last.append(_kept(line))
        if self._has_room():
            self._lines += 1
            self._bytes += len(line)
            is_whole = len(line) <= LINE_LIMIT and not self._cut
            self._record(_text(_unmarked(line)) if is_whole else _beginning(line, LINE_LIMIT, self._cut))
        else:
            self._dropped += 1
        taken = bytes(self._line)
        self._clear()
        self._note_failures(taken)

    def _note_failures(self, lines: bytes) -> None:
        count = len(_FAILURE.findall(lines))
        if count:
            self._on_failures(count)

    def _tell_dropped(self) -> None:
        if self._dropped:
            limit = f"{LINES_A_SECOND} lines and {BYTES_A_SECOND} bytes a second"
            self._record(f"({self._dropped} lines more were not forwarded: the limit is {limit})")
            self._dropped = 0

    def _record(self, text: str | logs.Beginning) -> None:
        _log.debug("plugin %s", self._name, extra={"fields": {"path": self._path, "msg": text}})


def _unmarked(line: bytes) -> bytes:
    """Leave out a priority."""
    return line[3:] if _PRIORITY.match(line) else line


def _kept(line: bytes) -> bytes:
    return line[: LAST_LINE_LIMIT + MARGIN]


def _beginning(line: bytes, limit: int, more: int) -> logs.Beginning:
    """Return so many bytes of a line, without a priority, that has so many more."""
    return logs.Beginning(_text(_unmarked(line)), len(_text(_unmarked(line[:limit]))), more)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
