"""Rate-limited error records about failing plugins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context

_log = logging.getLogger(__name__)
REPORT_DELAY = 0.2
"""How long a record waits for the lines that follow the one that says that something failed."""
REPORT_INTERVAL = 10.0
"""Seconds between two records: whoever makes a plugin fail with each request cannot fill the log."""


class FailureReports:
    """Counts the failures of one plugin until they are reported, with its last lines."""

    def __init__(self, name: str, path: str, last_lines: Callable[[], str]) -> None:
        """Label the records with the plugin's name and path."""
        self._labels = {"plugin": name, "path": path}
        self._last_lines = last_lines
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._earliest = 0.0
        self._due: asyncio.TimerHandle | None = None

    def note(self, count: int) -> None:
        """Count failures, to be reported soon."""
        self._count += count
        if self._due is None:
            when = max(self._loop.time() + REPORT_DELAY, self._earliest)
            self._due = self._loop.call_at(when, self.report, context=Context())  # it is about more than one request

    def report(self) -> None:
        """Report now what is not reported yet, if anything is."""
        if self._due is None:
            return
        self._due.cancel()
        fields = {**self._labels, "errors": self._count, "stderr": self._last_lines()}
        _log.error("plugin reports an error", extra={"fields": fields})
        self._earliest = self._loop.time() + REPORT_INTERVAL
        self._count = 0
        self._due = None
