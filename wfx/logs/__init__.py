"""Logs of the service: levels, formats, sinks, and what is not shown in them (``docs/logs.md``)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from wfx.log_writer import LogWriter, QueuedHandler
from wfx.logs.levels import LEVELS, TRACE
from wfx.logs.lines import Json, Pretty
from wfx.logs.masks import Mask
from wfx.logs.record import mask, use

__all__ = ["FORMATS", "LEVELS", "TRACE", "CannotLog", "Json", "Pretty", "configure", "dropped_records", "mask",
           "sanitize", "set_level"]  # fmt: skip

FORMATS = ("auto", "json", "pretty", "journald")
_QUIET = ("uvicorn", "hypercorn", "asyncio", "aiosqlite", "httpx", "sse_starlette", "hpack")
"""Libraries whose own records are noise unless something is wrong; those of hpack have secret header fields."""


class CannotLog(Exception):
    """The sink of a log format is not there; the message says which and why."""


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Log from ``level`` up to ``stream``; form ``auto`` is ``pretty`` on a terminal, else ``json``.

    Without a stream it is standard output, for which nobody ever waits, and ``auto`` is ``journald`` where systemd's
    journal reads it; nothing is logged if it is closed. Raises CannotLog for ``journald`` without a journal.
    """
    logging.basicConfig(handlers=[_handler(form, stream)], force=True)
    set_level(level)


def set_level(level: str) -> None:
    """Log from ``level`` up from now on."""
    logging.getLogger().setLevel(LEVELS[level])
    for library in _QUIET:
        logging.getLogger(library).setLevel(max(logging.WARNING, LEVELS[level]))


def sanitize(patterns: Sequence[str], *, on: bool, character: str, show_type: bool) -> None:
    """Hide from now on what is secret in records, with the patterns ``kind=expression`` too; raise ValueError.

    If it is not ``on``, texts are shown as they are; what is withheld as a whole (:func:`mask`) still is.
    """
    from wfx.logs.patterns import custom  # with RE2, which only a running server needs
    from wfx.logs.sanitizer import Sanitizer

    shown = Mask(character, show_type)
    use(shown, Sanitizer(shown, custom(patterns)) if on else None)


def dropped_records() -> int:
    """Count the records that could not be written so far."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, QueuedHandler))


def _handler(form: str, stream: TextIO | None) -> logging.Handler:
    out: TextIO | None = stream or sys.stdout
    terminal = out is not None and out.isatty()
    if form == "auto":
        form = "pretty" if terminal else "journald" if stream is None and _journal_reads() else "json"
    if form == "journald":
        return _journal()
    handler: logging.Handler = logging.NullHandler()
    if out is not None:
        handler = logging.StreamHandler(stream) if stream else LogWriter(out.fileno())
    handler.setFormatter(Pretty(colour=terminal and not os.environ.get("NO_COLOR")) if form == "pretty" else Json())
    return handler


def _journal_reads() -> bool:
    if "JOURNAL_STREAM" not in os.environ:
        return False
    from wfx.logs import journal  # only where it is used

    return journal.is_reached(os.environ)


def _journal() -> logging.Handler:
    from wfx.logs import journal  # only where it is used

    reason = journal.why_unreachable()
    if reason:
        raise CannotLog(f"log-format: there is no journal to log to ({reason}); use another format")
    return journal.JournalWriter()
