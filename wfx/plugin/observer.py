"""Process of one plugin that observes: it is told of answers, and nobody waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wfx.plugin.discovery import Found
from wfx.plugin.errors import PluginLost
from wfx.plugin.program import PluginProgram, PluginSettings, happens

MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Bytes of messages that may wait until an observer reads them; what goes beyond is dropped."""
_log = logging.getLogger(__name__)


class Observer(PluginProgram):
    """Tells one plugin of answers. It writes nothing that counts."""

    def __init__(self, found: Found, settings: PluginSettings, on_lost: Callable[[PluginLost], None]) -> None:
        """Run the program; raise OSError if that fails."""
        self.told = 0
        """Answers that it was told of."""
        self.dropped = 0
        """Answers that it was not told of, since too many waited for it."""
        self.hung = False
        """Whether it was still there a while after the end of its input."""
        super().__init__(found, settings, on_lost)

    def tell(self, frame: bytes) -> None:
        """Write a message, now or when the plugin reads on; drop it if too many wait."""
        has_room = self.open and self._stdin.get_write_buffer_size() + len(frame) <= MAX_WAITING_BYTES
        if has_room:
            self.told += 1
            self._stdin.write(frame)
            return
        self.dropped += 1
        if self.open and self.dropped == 1:
            fields = {"plugin": self.name, "path": self._path}
            _log.warning("observer does not read fast enough: answers are dropped", extra={"fields": fields})

    def _take_output(self, data: bytes) -> None:
        """Ignore it, so that any program may be an observer."""

    def _lose_stream(self, stream: str) -> None:
        """Do without the output."""
        if stream == "input":
            super()._lose_stream(stream)

    async def _ask_to_end(self) -> None:
        """Let it read what waits, up to the end of its input, and end by itself; else like any other."""
        self._stdin.close()
        grace = self._settings.stop_grace
        if not await happens(self._ended, grace):
            self.hung = True
            fields = {"plugin": self.name, "path": self._path}
            _log.warning(
                "observer hangs: it did not end within %g s of the end of its input", grace, extra={"fields": fields}
            )
            await super()._ask_to_end()
