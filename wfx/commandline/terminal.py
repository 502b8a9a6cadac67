"""Output streams of a program, and what may reach a terminal through them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import BinaryIO

from wfx.commandline.failures import OutputFailure

# C0 and C1 control characters, and those that reorder or hide text: https://www.unicode.org/reports/tr36/
_HARMFUL = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069"
_HARMFUL_IN_LINE = re.compile(f"[{_HARMFUL}]")
_HARMFUL_IN_TEXT = re.compile(f"(?![\n\t])[{_HARMFUL}]")


def neutralise(text: str) -> str:
    r"""Make control characters visible, such as ``\x1b``, so that the text stays on its line."""
    return _HARMFUL_IN_LINE.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class Stream:
    """Standard output or standard error."""

    def __init__(self, raw: BinaryIO) -> None:
        """Take the file; it is flushed after each write."""
        self._raw = raw
        self.is_terminal = raw.isatty()

    def size(self) -> os.terminal_size:
        """Return columns and lines of the terminal; 80 and 24 where it does not say."""
        try:
            found = os.get_terminal_size(self._raw.fileno())
        except (OSError, ValueError):
            found = os.terminal_size((0, 0))
        return os.terminal_size((found.columns or 80, found.lines or 24))

    def write(self, text: str) -> None:
        """Write text as it is: for text of our own, and text that was neutralised before.

        Raises OutputFailure when there is no room for it, and BrokenPipeError when nobody reads it.
        """
        self.data(text.encode("utf-8", "replace"))

    def data(self, data: bytes) -> None:
        """Write bytes as they are. Raises as :meth:`write` does."""
        try:
            self._raw.write(data)
            self._raw.flush()
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise OutputFailure(f"cannot write the output: {exc.strerror}") from exc

    def line(self, text: str) -> None:
        """Write a line of somebody else's text: verbatim to files and pipes, harmless to a terminal."""
        self.write((_HARMFUL_IN_TEXT.sub(_visible, text) if self.is_terminal else text) + "\n")

    def json(self, document: str) -> None:
        """Write encoded JSON and a newline; to a terminal, control characters in its strings are escaped too."""
        self.write((_HARMFUL_IN_TEXT.sub(_json_escape, document) if self.is_terminal else document) + "\n")


def wants_color(choice: str, stream: Stream, environment: Mapping[str, str]) -> bool:
    """Decide about colours: the option wins, then NO_COLOR, CLICOLOR_FORCE, CLICOLOR, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.is_terminal and environment.get("CLICOLOR") != "0"
