"""Channel of a worker to its parent, in place of systemd: it is told what to do there, and tells how it does."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from wfx.signals import ControlEvents
from wfx.systemd import ServiceManager

BEAT = 1.0
"""Seconds between two signs of life."""
STOP, ABORT, RELOAD = b"stop", b"abort", b"reload"
"""What a worker is told: to stop, to wait for nobody when it does, and to read its configuration again."""
_LONGEST = 64


class ParentChannel(ServiceManager):
    """Tells the parent what a service tells systemd (sd_notify(3)), and passes on what it is asked for."""

    def __init__(self, channel: socket.socket, control: ControlEvents) -> None:
        """Read the channel, on the running loop, and give signs of life."""
        super().__init__({})
        channel.setblocking(False)
        self._channel = channel
        self._control = control
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel.fileno(), self._obey)
        self._beats = self._loop.create_task(self._beat())

    def close(self) -> None:
        """Be silent."""
        self._beats.cancel()
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()

    async def _beat(self) -> None:
        """Give signs of life from where requests are answered, also while the service starts and stops."""
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(BEAT)

    def _obey(self) -> None:
        try:
            word = self._channel.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if word == RELOAD:
            self._control.reload.set()
            return
        self._control.stop.set()
        if word == ABORT:
            self._control.at_once.set()
        elif word != STOP:  # the parent is gone
            self._loop.remove_reader(self._channel.fileno())

    def _send(self, message: str) -> None:
        with suppress(OSError):  # a parent that does not read must not hold up the service
            self._channel.send(message.encode(), socket.MSG_DONTWAIT)
