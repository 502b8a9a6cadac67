"""Process of one plugin that decides: exchanges messages with it (server sections 11.2 and 11.7)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from wfx.histogram import SECONDS, Histogram
from wfx.plugin.decode import decode_answer
from wfx.plugin.discovery import Found
from wfx.plugin.encode import encode_request
from wfx.plugin.errors import PluginBusy, PluginLost, PluginsGone, ProtocolError, Undecided
from wfx.plugin.exchange import Exchange
from wfx.plugin.frame import FrameDecoder
from wfx.plugin.message import Decision, PluginRequest
from wfx.plugin.program import PluginProgram, PluginSettings


class PluginProcess(PluginProgram):
    """Asks one plugin about requests.

    An end that was not asked for, and any break of the protocol, closes it for good: who waits is told at once, and
    nobody can ask again.
    """

    def __init__(self, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]) -> None:
        """Run the program; raise OSError if that fails."""
        self.seconds = Histogram(SECONDS)
        """How long it took for its decisions; see :class:`wfx.plugin.chain.PluginChain`, which counts."""
        self.undecided = 0
        """How many requests were refused since it did not decide."""
        self._exchange = Exchange(reply_timeout=settings.reply_timeout, max_bytes=settings.max_outstanding_bytes)
        self._decoder = FrameDecoder(settings.max_frame)
        self._unfinished: asyncio.TimerHandle | None = None
        super().__init__(found, settings, on_lost)

    async def ask(self, request: PluginRequest) -> Decision:
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

    def set_reply_timeout(self, seconds: float) -> None:
        """Wait so long for answers to requests that come from now on."""
        self._exchange.reply_timeout = seconds

    def _take_output(self, data: bytes) -> None:
        """Settle the requests that are answered; what comes after the end is dropped."""
        if not self.open:
            return
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
            seconds = self._exchange.reply_timeout
            self._unfinished = self._loop.call_later(
                seconds, self._expel, f"left an answer unfinished for {seconds:g} s"
            )

    def _expel(self, reason: str) -> None:
        """Part with a plugin that broke the protocol: no more of its output is read, and it is told to end."""
        self._close()
        self._report(reason)
        self._stdout.close()
        self._signal(signal.SIGTERM)

    def _close(self) -> None:
        super()._close()
        if self._unfinished:
            self._unfinished.cancel()
        self._exchange.fail_all(PluginsGone("is gone"))
