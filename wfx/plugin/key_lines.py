"""Lines of private keys: a key has many, each of which becomes a record of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wfx import logs

MOST_LINES = 512
"""Lines that a key may have; what comes behind one without an end is shown."""
_BEGIN = re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_WITHIN = re.compile(
    rb"(?:<[0-7]>)?[ \t]*(?:[A-Za-z0-9+/=]*|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): .*)[ \t\r]*"
)
"""A line that a key may have. Any other one ends it, so that a plugin that repeats a first line goes on being heard."""


class KeyLines:
    """Knows which lines are within a private key."""

    def __init__(self) -> None:
        """Begin outside of one."""
        self._left = 0

    def shown(self, line: bytes) -> bytes:
        """Return what is shown of the next line."""
        shown = self.peek(line)
        self.skip(line)
        return shown

    def peek(self, line: bytes) -> bytes:
        """Return what would be shown of the next line."""
        hidden = self._left and logs.hides_secrets() and (_WITHIN.fullmatch(line) or _END.search(line))
        return logs.mask("private-key").encode() if hidden else line

    def skip(self, lines: bytes) -> None:
        """Take lines that are not shown."""
        begin = max((found.start() for found in _BEGIN.finditer(lines)), default=-1)
        end = max((found.start() for found in _END.finditer(lines)), default=-1)
        if begin > end:
            self._left = MOST_LINES
            self._take(lines[begin:].split(b"\n", MOST_LINES + 1)[1:])
        elif end >= 0:
            self._left = 0
        elif self._left:
            self._take(lines.split(b"\n", MOST_LINES + 1))

    def _take(self, lines: Sequence[bytes]) -> None:
        """Take lines of the key, as long as they are of one."""
        self._left = max(0, self._left - len(lines)) if all(map(_WITHIN.fullmatch, lines)) else 0
