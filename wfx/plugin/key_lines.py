"""Lines of private keys: a key has many, each of which becomes a record of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wfx import logs
from wfx.logs import private_keys

MOST_LINES = 512
"""Lines that a key may have; what comes behind one without an end is shown."""
_BEGIN = re.compile(private_keys.BEGIN.encode())
_END = re.compile(private_keys.END.encode())
_WITHIN = re.compile(
    rb"(?:<[0-7]>)?[ \t]*(?:[A-Za-z0-9+/=]*|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): .*)[ \t\r]*"
)
"""A line that a key may have, also with its end abridged.

Any other one ends it, so that a plugin that repeats a first line goes on being heard.
"""
_LONGEST_AROUND = 96
"""Bytes that a line around a key may have where abridged pieces meet."""


def abridged(part: bytes) -> bytes:
    """Abridge a part of a line that is not kept to the last mark of a key in it, if there is one, and its end.

    It may be put in front of the next part, to abridge both.
    """
    begin, end = _last(_BEGIN, part), _last(_END, part)
    around = b"" if begin == end else b"=-----BEGIN PRIVATE KEY-----" if begin > end else b"=-----END PRIVATE KEY-----"
    return around + b"=" + part[-_LONGEST_AROUND:]


def _last(pattern: re.Pattern[bytes], text: bytes) -> int:
    """Return where the pattern is found last; -1 if it is not."""
    return max((found.start() for found in pattern.finditer(text)), default=-1)


class KeyLines:
    """Knows which lines are within a private key."""

    def __init__(self) -> None:
        """Begin outside of one."""
        self._left = 0

    def shown(self, line: bytes, unkept: bytes = b"") -> bytes:
        """Return what is shown of the next line; ``unkept`` is what followed in it, abridged."""
        shown = self.peek(line)
        self.skip(line + unkept)
        return shown

    def peek(self, line: bytes) -> bytes:
        """Return what would be shown of the next line."""
        hidden = self._left and logs.hides_secrets() and (_WITHIN.fullmatch(line) or _END.search(line))
        return logs.mask("private-key").encode() if hidden else line

    def skip(self, lines: bytes) -> None:
        """Take lines that are not shown."""
        begin, end = _last(_BEGIN, lines), _last(_END, lines)
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
