"""One plugin as a running process (server sections 11.1 and 11.7)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from wfx.plugin.decode import decode_answer
from wfx.plugin.discovery import Found
from wfx.plugin.encode import encode_request
from wfx.plugin.errors import PluginBusy, PluginLost, PluginRefused, PluginsGone, ProtocolError, Undecided
from wfx.plugin.exchange import Exchange
from wfx.plugin.frame import FrameDecoder
from wfx.plugin.message import Decision, Request
from wfx.plugin.settings import PluginSettings
from wfx.plugin.stderr import LineForwarder

_log = logging.getLogger(__name__)
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_WORDING_DELAY = 0.2
"""A closed pipe is usually the first sign of an exit, whose status makes the better message: wait for it so long."""
_KILL_WAIT = 2.0
"""How long to wait for the end of a process that was killed; then the server goes on without it."""


class PluginProcess(asyncio.SubprocessProtocol):
    """Asks one plugin, from its start to its end; belongs to the event loop it was started in.

    Any end that was not asked for, and any break of the protocol, closes it for good: who waits is told at once,
    nobody can ask again, and ``on_lost`` is called once with the reason.
    """

    def __init__(self, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]) -> None:
        """Prepare the book-keeping; ``start`` starts the program."""
        self.name = found.name
        self.open = True
        """Whether requests may still pass by way of this plugin."""
        self._path = str(found.path)
        self._settings = settings
        self._on_lost: Callable[[PluginLost], None] | None = on_lost
        self._loop = asyncio.get_running_loop()
        self._exchange = Exchange(reply_timeout=settings.reply_timeout, max_bytes=settings.max_outstanding_bytes)
        self._decoder = FrameDecoder(settings.max_frame)
        self._stderr = LineForwarder(found.name, self._path)
        self._unfinished: asyncio.TimerHandle | None = None
        self._stopping = False
        self._ended = asyncio.Event()
        self._released = asyncio.Event()

    @classmethod
    async def start(
        cls, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]
    ) -> PluginProcess:
        """Run the program in a session, and so a process group, of its own; raise PluginRefused if that fails."""
        plugin = cls(found, settings, on_lost)
        try:
            await plugin._loop.subprocess_exec(lambda: plugin, plugin._path, start_new_session=True)
        except OSError as exc:
            raise PluginRefused(f"plugin {found.path} does not start: {exc.strerror}") from exc
        _log.info("plugin started", extra={"fields": {"plugin": plugin.name, "path": plugin._path}})
        return plugin

    async def ask(self, request: Request) -> Decision:
        """Give the plugin's decision; raise Undecided if there is none."""
        if not self.open:
            raise PluginsGone("is gone")
        frame = encode_request(self._exchange.next_cookie, request)
        if self._stdin.get_write_buffer_size() + len(frame) > self._settings.max_outstanding_bytes:
            raise PluginBusy("does not read its requests")
        answer = self._exchange.admit(len(frame))
        self._stdin.write(frame)
        outcome = await answer
        if isinstance(outcome, Undecided):
            raise outcome.with_traceback(None)
        return outcome

    async def stop(self) -> None:
        """End the plugin: SIGTERM to its group, SIGKILL after the grace time. Stopping twice does no harm."""
        self._on_lost = None
        self._close()
        if self._stopping:
            return
        self._stopping = True
        if not self._ended.is_set():
            self._signal(signal.SIGTERM)
            self._stdin.close()
            if not await _happens(self._ended, self._settings.stop_grace):
                _log.warning("plugin ignores SIGTERM: killing it", extra={"fields": {"plugin": self.name}})
                self._signal(signal.SIGKILL)
                await _happens(self._ended, _KILL_WAIT)
        self._transport.close()
        await _happens(self._released, _KILL_WAIT)
        _log.info("plugin stopped", extra={"fields": {"plugin": self.name, "path": self._path}})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the process and its standard input (called by the event loop, as are the four below)."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(_STDIN))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take answers and log lines; what comes after the end is dropped."""
        if fd == _STDERR:
            self._stderr.feed(data)
        elif self.open:
            self._take_answers(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Treat a closed stream like an exit, because without it the plugin cannot decide; stderr is its own affair."""
        if fd == _STDERR:
            self._stderr.close()
            return
        self._close()
        self._loop.call_later(_WORDING_DELAY, self._report, f"closed its standard {'input' if fd == 0 else 'output'}")

    def process_exited(self) -> None:
        """Note the end, and end what the plugin left behind in its group."""
        self._signal(signal.SIGKILL)
        self._ended.set()
        self._close()
        self._report(_how_it_ended(self._transport.get_returncode()))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that process and pipes are gone."""
        self._released.set()

    def _take_answers(self, data: bytes) -> None:
        completed = False
        try:
            for frame in self._decoder.feed(data):
                completed = True
                self._exchange.settle(*decode_answer(frame))
        except ProtocolError as exc:
            self._expel(str(exc))
            return
        if self._unfinished and (completed or not self._decoder.partial):
            self._unfinished.cancel()
            self._unfinished = None
        if self._decoder.partial and not self._unfinished:
            seconds = self._settings.reply_timeout
            self._unfinished = self._loop.call_later(
                seconds, self._expel, f"left an answer unfinished for {seconds:g} s"
            )

    def _expel(self, reason: str) -> None:
        """Part with a plugin that broke the protocol: no more of its output is read, and it is told to end."""
        self._close()
        self._report(reason)
        stdout = self._transport.get_pipe_transport(_STDOUT)
        if stdout:
            stdout.close()
        self._signal(signal.SIGTERM)

    def _close(self) -> None:
        self.open = False
        if self._unfinished:
            self._unfinished.cancel()
        self._exchange.fail_all(PluginsGone("is gone"))

    def _report(self, reason: str) -> None:
        if self._on_lost:
            on_lost, self._on_lost = self._on_lost, None
            on_lost(PluginLost(self.name, reason))

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), number)


async def _happens(event: asyncio.Event, within: float) -> bool:
    """Wait for an event, but not longer than ``within`` seconds; tell whether it happened."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


def _how_it_ended(status: int | None) -> str:
    if status is None or status >= 0:
        return f"stopped unexpectedly with exit status {status}"
    try:
        return f"stopped unexpectedly by {signal.Signals(-status).name}"
    except ValueError:
        return f"stopped unexpectedly by signal {-status}"
