"""Log formatters: one line for each record, for people or machines (server section 6)."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import datetime
from typing import TextIO

from wfx.log_writer import LogWriter
from wfx.request_context import LOG_FIELD, current

TRACE = 5
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}
FORMATS = ("auto", "json", "pretty")
_NAMES = {TRACE: "trace", 10: "debug", 20: "info", 30: "warn", 40: "error", 50: "fatal"}
_COLOURS = {TRACE: "35", 10: "33", 20: "32", 30: "31", 40: "31", 50: "31"}
_BREAKS_WORDS = re.compile(r'[ "=\\]')
_QUIET = ("uvicorn", "hypercorn", "asyncio", "aiosqlite", "httpx", "sse_starlette", "hpack")
"""Libraries whose own records are noise unless something is wrong; those of hpack have secret header fields."""


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Log from ``level`` up to ``stream``; form ``auto`` is ``pretty`` on a terminal, else ``json``.

    Without a stream it is standard output, for which nobody ever waits; nothing is logged if that is closed.
    """
    out: TextIO | None = stream or sys.stdout
    terminal = out is not None and out.isatty()
    if form == "auto":
        form = "pretty" if terminal else "json"
    handler: logging.Handler = logging.NullHandler()
    if out is not None:
        handler = logging.StreamHandler(stream) if stream else LogWriter(out.fileno())
    handler.setFormatter(Pretty(colour=terminal and not os.environ.get("NO_COLOR")) if form == "pretty" else Json())
    logging.basicConfig(handlers=[handler], force=True)
    set_level(level)


def set_level(level: str) -> None:
    """Log from ``level`` up from now on."""
    logging.getLogger().setLevel(LEVELS[level])
    for library in _QUIET:
        logging.getLogger(library).setLevel(max(logging.WARNING, LEVELS[level]))


def dropped_records() -> int:
    """Count the records that could not be written so far."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, LogWriter))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record has beside its message: the id of the request it is about, and its own fields."""
    fields: dict[str, object] = getattr(record, "fields", {})
    context = current()
    return fields if context is None else {LOG_FIELD: context.request_id, **fields}


class Json(logging.Formatter):
    """One JSON object per line: level, time, caller, id of the request, fields of the record, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        document: dict[str, object] = {
            "level": _NAMES.get(record.levelno, "info"),
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds"),
            "caller": f"{record.module}.py:{record.lineno}",
            **_fields(record),
            "message": record.getMessage(),
        }
        if record.exc_info:
            document["error"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


class Pretty(logging.Formatter):
    """``May 04 10:00:00 INF file:line > message key=value key="two words"``."""

    def __init__(self, *, colour: bool) -> None:
        """Use ANSI colours if ``colour``."""
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Write one record.

        Control characters are escaped, so that nothing of a caller's reaches a terminal raw. Values that could look
        like more than one are quoted, and tracebacks indented, so that none of them looks like a field or a record.
        """
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%b %d %H:%M:%S")
        level = _NAMES.get(record.levelno, "info")[:3].upper()
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelno, '32')}m{level}\x1b[0m"
        fields = "".join(f" {_plain(name)}={_quoted(str(value))}" for name, value in _fields(record).items())
        line = f"{when} {level} {record.module}.py:{record.lineno} > {_plain(record.getMessage())}{fields}"
        return f"{line}\n{_indented(self.formatException(record.exc_info))}" if record.exc_info else line


def _quoted(value: str) -> str:
    """Return a value as one word, in quotes and with escapes where it would not be one (logfmt)."""
    if value and value.isprintable() and not _BREAKS_WORDS.search(value):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _indented(text: str) -> str:
    return "\n".join(f"    {_plain(line)}" for line in text.split("\n"))


def _plain(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
