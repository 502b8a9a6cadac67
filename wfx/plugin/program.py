"""Program of one plugin: starts it, listens to it, stops it (server sections 11.1 and 11.7)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Self

from wfx.plugin import interpreter
from wfx.plugin.discovery import Found
from wfx.plugin.errors import PluginLost, PluginRefused
from wfx.plugin.failures import REPORT_DELAY, FailureReports
from wfx.plugin.stderr import LineForwarder

_KEYS = "WFX_ENCRYPTION_KEYS"
"""The variable of the service that plugins do not get."""
_HEADER_ROOM = 4
"""What headers may grow to as a message: offsets and paddings, and two bytes for one that is not UTF-8."""
_SLACK = 65_536
_KILL_WAIT = 2.0
"""How long to wait for the end of a process that was killed; then the server goes on without it."""
_EXIT_WAIT = 1.0
"""Seconds for the exit of a process that has closed a pipe, before it is said that it has."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """Deadlines in seconds, sizes in bytes."""

    max_body: int
    """Longest request body."""
    max_head: int = 1_004_096
    """Longest request line with headers."""
    reply_timeout: float = 30.0
    """How long a request waits for one plugin's answer."""
    stop_grace: float = 5.0
    """How long a plugin may take to end after SIGTERM."""

    @property
    def max_frame(self) -> int:
        """Longest message in either direction."""
        return self.max_body + _HEADER_ROOM * self.max_head + _SLACK

    @property
    def max_outstanding_bytes(self) -> int:
        """How much one plugin may have to answer or to read at a time."""
        return 4 * self.max_frame


class PipeEnd(asyncio.Protocol):
    """Hands on what comes, and tells when there will be no more."""

    def __init__(self, on_data: Callable[[bytes], None] | None, on_lost: Callable[[], None]) -> None:
        """Call ``on_data`` with bytes as they come (never for an end that is written to), ``on_lost`` at the end."""
        self._on_data = on_data
        self._on_lost = on_lost
        self.gone = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Hand on bytes (called by the event loop)."""
        if self._on_data:
            self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell of the end (called by the event loop)."""
        self.gone.set()
        self._on_lost()


class PluginProgram(ABC):
    """Runs one plugin, from its start to its end; belongs to the event loop it was started in.

    Any end that was not asked for closes it for good, and ``on_lost`` is called once with the reason.
    """

    _stdin: asyncio.WriteTransport
    _stdout: asyncio.ReadTransport
    _stderr: asyncio.ReadTransport

    def __init__(self, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]) -> None:
        """Run the program in a session, and so a process group, of its own; raise OSError if that fails.

        The process is made by the standard library, not by the event loop: uvloop leaves spare copies of the pipes
        with its children, so that a plugin that closes its output would go unnoticed.
        """
        self.name = found.name
        self.open = True
        """Whether it is there."""
        self._path = str(found.path)
        self._settings = settings
        self._on_lost: Callable[[PluginLost], None] | None = on_lost
        self._loop = asyncio.get_running_loop()
        self._reason = ""
        self._stopping = False
        self._ended = asyncio.Event()
        self._failures = FailureReports(found.name, self._path, self._last_lines)
        self._lines = LineForwarder(found.name, self._path, self._failures.note)
        self._ends = (
            PipeEnd(None, partial(self._lose_stream, "input")),
            PipeEnd(self._take_output, partial(self._lose_stream, "output")),
            PipeEnd(self._lines.feed, self._lines.close),  # a plugin may close its standard error: its own affair
        )
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - which programs run is the operator's choice
            [self._path],
            bufsize=0,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != _KEYS},
        )

    @classmethod
    async def start(cls, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]) -> Self:
        """Start the program and listen to it; raise PluginRefused if it cannot be run."""
        try:
            plugin = cls(found, settings, on_lost)
        except OSError as exc:
            raise PluginRefused(f"plugin {found.path} does not start: {interpreter.reason(found.path, exc)}") from exc
        threading.Thread(target=plugin._await_end, name=f"plugin {found.name}", daemon=True).start()
        try:
            await plugin._connect()
        except BaseException:
            plugin._signal(signal.SIGKILL)
            raise
        _log.info("plugin started", extra={"fields": {"plugin": plugin.name, "path": plugin._path}})
        return plugin

    async def _connect(self) -> None:
        stdin, stdout, stderr = self._ends
        self._stdin, _ = await self._loop.connect_write_pipe(lambda: stdin, self._process.stdin)
        self._stdout, _ = await self._loop.connect_read_pipe(lambda: stdout, self._process.stdout)
        self._stderr, _ = await self._loop.connect_read_pipe(lambda: stderr, self._process.stderr)

    def _await_end(self) -> None:
        """Wait for the process, in a thread of its own."""
        status = self._process.wait()
        with suppress(RuntimeError):  # the event loop has ended before the plugin
            self._loop.call_soon_threadsafe(self._note_end, status)

    @property
    def process_id(self) -> int:
        """The system's number of the process."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """What the process ended with; None while it runs."""
        return self._process.returncode

    @abstractmethod
    def _take_output(self, data: bytes) -> None:
        """Take what comes on standard output."""

    async def stop(self) -> None:
        """End the plugin: SIGTERM to its group, SIGKILL after the grace time. Stopping twice does no harm."""
        self._on_lost = None
        self._close()
        if self._stopping:
            return
        self._stopping = True
        if not self._ended.is_set():
            await self._ask_to_end()
        if not self._ended.is_set():
            _log.warning("plugin ignores SIGTERM: killing it", extra={"fields": {"plugin": self.name}})
            self._signal(signal.SIGKILL)
            await happens(self._ended, _KILL_WAIT)
        if not self._stdin.is_closing():
            self._stdin.abort()
        self._stdout.close()
        self._stderr.close()
        for end in self._ends:
            await happens(end.gone, _KILL_WAIT)
        self._failures.report()
        _log.info("plugin stopped", extra={"fields": {"plugin": self.name, "path": self._path}})

    async def _ask_to_end(self) -> None:
        self._signal(signal.SIGTERM)
        self._stdin.close()
        await happens(self._ended, self._settings.stop_grace)

    def kill(self) -> None:
        """End the plugin at once."""
        if not self._ended.is_set():
            self._signal(signal.SIGKILL)

    def _note_end(self, status: int) -> None:
        """Note that the process is gone, and end what it left behind in its group."""
        self._signal(signal.SIGKILL)
        self._ended.set()
        self._reason = how_it_ended(status)
        self._lose(REPORT_DELAY)

    def _lose_stream(self, stream: str) -> None:
        """Treat a closed stream like an exit, because without it the plugin cannot do its work."""
        self._reason = self._reason or f"closed its standard {stream}"
        self._lose(REPORT_DELAY if self._ended.is_set() else _EXIT_WAIT)

    def _lose(self, delay: float) -> None:
        """Close at once, and tell of it so many seconds later, or when it is told of for another reason.

        A closed pipe is usually the first sign of an exit, whose status makes the better message; its last words may
        be on their way still; and an exit may be the first sign that whoever runs the server ends all of its processes
        (systemd does), the server next.
        """
        self._close()
        # A request may be the one to notice; the record is not about it.
        self._loop.call_later(delay, lambda: self._report(self._reason), context=Context())

    def _close(self) -> None:
        self.open = False

    def _report(self, reason: str) -> None:
        if self._on_lost:
            on_lost, self._on_lost = self._on_lost, None
            on_lost(PluginLost(self.name, reason, self._last_lines()))

    def _last_lines(self) -> str:
        return self._lines.last

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait for an event, but not longer than ``within`` seconds; tell whether it happened."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


def how_it_ended(status: int) -> str:
    """Say by which status or signal a process has ended."""
    if status >= 0:
        return f"stopped unexpectedly with exit status {status}"
    try:
        return f"stopped unexpectedly by {signal.Signals(-status).name}"
    except ValueError:
        return f"stopped unexpectedly by signal {-status}"
