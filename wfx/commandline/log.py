"""Log lines on standard error (cli section 3)."""

from __future__ import annotations

import time
from collections.abc import Mapping

from wfx.commandline.terminal import Stream, neutralise

_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "panic")
_LABELS = {"trace": "TRC", "debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL", "panic": "PNC"}
_COLORS = {"trace": 34, "debug": 0, "info": 32, "warn": 33, "error": 31, "fatal": 31, "panic": 31}
_GREY, _CYAN = 90, 36


class Log:
    """Writes ``Jan 02 15:04:05 INF message key=value``, coloured unless NO_COLOR is set.

    That is so in files and pipes too, as with the reference.
    """

    def __init__(self, stream: Stream, environment: Mapping[str, str], threshold: str = "info") -> None:
        """Write to this stream; an unknown threshold lets everything through."""
        self._stream = stream
        self._colored = not environment.get("NO_COLOR")
        self.set_threshold(threshold)

    def set_threshold(self, level: str) -> None:
        """Show only this level and the worse ones; an unknown word lets everything through."""
        self._threshold = _LEVELS.index(level) if level in _LEVELS else 0

    def write(self, level: str, message: str, **fields: object) -> None:
        """Write one line; values with blanks are quoted, control characters made visible."""
        if _LEVELS.index(level) < self._threshold:
            return
        moment = self._paint(_GREY, time.strftime("%b %d %H:%M:%S"))
        label = self._paint(_COLORS[level], _LABELS[level])
        shown = "".join(f" {self._paint(_CYAN, key + '=')}{_quoted(str(value))}" for key, value in fields.items())
        self._stream.write(f"{moment} {label} {neutralise(message)}{shown}\n")

    def _paint(self, color: int, text: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colored and color else text


def _quoted(value: str) -> str:
    if value and not any(c in value for c in ' "=\\'):
        return neutralise(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{neutralise(escaped)}"'
