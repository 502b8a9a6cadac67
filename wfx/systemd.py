"""Service manager's notification socket: tells systemd what the service is doing (sd_notify(3))."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """Sends datagrams to the service manager; does nothing where there is none."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Take the variables out of the environment: programs that are started from here are not the service."""
        path, interval, pid = (environment.pop(name, "") for name in _VARIABLES)
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if path else None
        self._serving = ""
        self.watchdog: float | None = None
        """Seconds after which it takes the service for dead; None if it does not watch."""
        if interval.isdecimal() and int(interval) and pid in ("", str(os.getpid())):
            self.watchdog = int(interval) / 1e6

    def ready(self, text: str) -> None:
        """Tell that the service serves."""
        self._serving = text
        self.reloaded()

    def reloading(self) -> None:
        """Tell that the configuration is read again; :meth:`reloaded` has to follow."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=reloading the configuration")

    def reloaded(self) -> None:
        """Tell that the service serves as before, with what was read or without."""
        self._send(f"READY=1\nSTATUS={self._serving}")

    def stopping(self) -> None:
        """Tell that the service stops."""
        self._send("STOPPING=1\nSTATUS=waiting for running requests")

    async def keep_alive(self) -> None:
        """Give signs of life until cancelled. They come from the event loop, which serves everything else too."""
        while self.watchdog is not None:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / 2)

    def close(self) -> None:
        """Send no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # a manager that does not listen must not hold up the service
                self._socket.sendto(message.encode(), socket.MSG_DONTWAIT, self._address)
