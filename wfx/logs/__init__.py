"""Logs of the service: levels, formats, sinks, and what is not shown in them (``docs/logs.md``)."""

from __future__ import annotations

import logging
import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TextIO

from wfx.log_writer import LogWriter, QueuedHandler
from wfx.logs.levels import LEVELS, TRACE
from wfx.logs.lines import Json, Pretty
from wfx.logs.masks import Mask
from wfx.logs.record import (
    Beginning,
    beginning,
    hides_secrets,
    is_withheld,
    mask,
    set_sanitizer,
    set_worker,
    shown,
    withhold_messages,
)

if TYPE_CHECKING:  # imported, with RE2, when a server runs
    from wfx.logs.sanitizer import Sanitizer

__all__ = [
    "FORMATS",
    "LEVELS",
    "TRACE",
    "Beginning",
    "CannotLog",
    "Json",
    "Pretty",
    "beginning",
    "configure",
    "dropped_records",
    "flush",
    "hides_secrets",
    "is_withheld",
    "mask",
    "sanitize",
    "set_level",
    "set_worker",
    "shown",
    "withhold_messages",
]

FORMATS = ("auto", "json", "pretty", "journald")
_QUIET = ("uvicorn", "hypercorn", "asyncio", "aiosmtplib", "aiosqlite", "httpcore", "httpx", "sse_starlette", "hpack")
"""Libraries whose own records are noise unless something is wrong; those of hpack have secret header fields."""


class SanitizingSettings(Protocol):
    """Options that say what is hidden in records, and how."""

    @property
    def log_sanitization(self) -> bool:
        """Whether secrets are hidden."""

    @property
    def log_masking_char(self) -> str:
        """What stands eight times for what is hidden, if its kind is not shown."""

    @property
    def log_show_type(self) -> bool:
        """Whether the kind of what is hidden is shown."""

    @property
    def log_custom_pattern(self) -> tuple[str, ...]:
        """What else is hidden, as ``kind=expression``."""


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


def sanitize(settings: SanitizingSettings) -> None:
    """Hide from now on what is secret in records, by these settings; costs nothing if they are as before.

    Without ``log_sanitization``, texts are shown as they are; what is withheld as a whole (:func:`mask`) still is.
    Raises ValueError for a pattern that cannot be used.
    """
    masks = Mask(settings.log_masking_char, settings.log_show_type)
    patterns = tuple(settings.log_custom_pattern)
    set_sanitizer(masks, _sanitizer(masks, patterns) if settings.log_sanitization else None)


@lru_cache(maxsize=1)
def _sanitizer(masks: Mask, patterns: tuple[str, ...]) -> Sanitizer:
    """Compile all expressions, which takes a while: not again at each reload of the configuration."""
    from wfx.logs.custom_patterns import read_patterns  # with RE2, which only a running server needs
    from wfx.logs.sanitizer import Sanitizer

    return Sanitizer(masks, read_patterns(patterns))


def flush() -> None:
    """Wait until all records are written, but not for long."""
    for handler in logging.getLogger().handlers:
        handler.flush()


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
