"""Lines of private keys: a key has many, each of which becomes a record of its own."""

from __future__ import annotations

import re

from wfx import logs

MOST_LINES = 512
"""Lines that a key may have; what comes behind one without an end is shown."""
_BEGIN = re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


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
        return logs.mask("private-key").encode() if self._left and logs.hides_secrets() else line

    def skip(self, lines: bytes) -> None:
        """Take lines that are not shown."""
        begin = max((found.start() for found in _BEGIN.finditer(lines)), default=-1)
        end = max((found.start() for found in _END.finditer(lines)), default=-1)
        if begin > end:
            self._left = MOST_LINES
        else:
            self._left = 0 if end >= 0 else max(0, self._left - lines.count(b"\n") - 1)
