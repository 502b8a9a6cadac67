"""Log formats of lines: one line for each record, for people or machines (server section 6)."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime

from wfx.logs.levels import TRACE, name_of
from wfx.logs.record import content_of

_COLOURS = {TRACE: "35", 10: "33", 20: "32", 30: "31", 40: "31", 50: "31"}
_BREAKS_WORDS = re.compile(r'[ "=\\]')


class Json(logging.Formatter):
    """One JSON object per line: level, time, caller, id of the request, fields of the record, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        content = content_of(record)
        document: dict[str, object] = {
            "level": name_of(record.levelno),
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds"),
            "caller": content.caller,
            **content.fields,
            "message": content.message,
        }
        if content.traceback:
            document["error"] = content.traceback
        return json.dumps(document)


class Pretty(logging.Formatter):
    """``May 04 10:00:00 INF file:line > message key=value key="two words"``; fields that are false are left out."""

    def __init__(self, *, colour: bool) -> None:
        """Use ANSI colours if ``colour``."""
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Write one record.

        Control characters are escaped, so that nothing of a caller's reaches a terminal raw. Values that could look
        like more than one are quoted, and tracebacks indented, so that none of them looks like a field or a record.
        """
        content = content_of(record)
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%b %d %H:%M:%S")
        level = name_of(record.levelno)[:3].upper()
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelno, '32')}m{level}\x1b[0m"
        fields = "".join(
            f" {_plain(name)}={_quoted(field_text(value))}"
            for name, value in content.fields.items()
            if value is not False
        )
        line = f"{when} {level} {content.caller} > {_plain(content.message)}{fields}"
        return f"{line}\n{_indented(content.traceback)}" if content.traceback else line


def field_text(value: object) -> str:
    """Return a field's value as text; truth values as in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: str) -> str:
    """Return a value as one word, in quotes and with escapes where it would not be one (logfmt)."""
    if value and value.isprintable() and not _BREAKS_WORDS.search(value):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _indented(text: str) -> str:
    return "\n".join(f"    {_plain(line)}" for line in text.split("\n"))


def _plain(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
