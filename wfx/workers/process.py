"""Worker process as its parent sees it: starts it, hears whether it serves, kills it when it gives no sign of life."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

from wfx.workers.handover import Handover
from wfx.workers.parent_channel import BEAT

log = logging.getLogger("wfx")

_MOST_MISSED = 10
"""Signs of life in a row that a worker may miss before it is killed."""
_MOST_MISSED_AT_START = 60
"""The same before the first one: until then Python reads the code."""
LONG_ENOUGH = 30
"""Signs of life after which a worker that ends is not taken for one that ends again and again."""
_LONGEST = 65536


class WorkerProcess:
    """A process that serves. Belongs to one event loop."""

    def __init__(self, number: int, process: Process, channel: socket.socket, changed: Callable[[], None]) -> None:
        """Take over a process that was just started; ``changed`` is called when it serves, or reloads."""
        self.number = number
        self.served = False
        """Whether it has ever been ready."""
        self.reloading = False
        self.beats = 0
        """Signs of life that it has given."""
        self._missed = 0
        self._process = process
        self._channel = channel
        self._changed = changed

    @classmethod
    async def start(cls, handover: Handover, channel: socket.socket, changed: Callable[[], None]) -> WorkerProcess:
        """Start a worker, which has the other end of the channel. Raises OSError."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I" if sys.flags.isolated else "-P", "-m", "wfx.worker_main", str(handover.number)),
            stdin=PIPE,
            pass_fds=handover.descriptors,
            start_new_session=True,  # what a terminal sends to all in the foreground comes to the parent alone
        )
        assert process.stdin is not None
        process.stdin.write(handover.encoded())
        process.stdin.close()
        return cls(handover.number, process, channel, changed)

    def tell(self, word: bytes) -> None:
        """Tell it what to do."""
        with suppress(OSError):  # it has ended, or is hung: it will be killed
            self._channel.send(word)

    async def ended(self) -> int:
        """Wait for its end, and return its status, negative when by a signal. Kills it when it is hung."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), self._hear)
        watch = loop.create_task(self._kill_when_hung())
        try:
            return await self._process.wait()
        finally:
            watch.cancel()
            loop.remove_reader(self._channel.fileno())
            self._channel.close()

    def _hear(self) -> None:
        try:
            message = self._channel.recv(_LONGEST)
        except OSError:
            message = b""
        if not message:  # it ends
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            return
        self.beats += 1
        self._missed = 0
        kind = message.split(b"\n", 1)[0]
        if kind in {b"READY=1", b"RELOADING=1"}:
            self.served, self.reloading = True, kind == b"RELOADING=1"
            self._changed()

    async def _kill_when_hung(self) -> None:
        """Count in beats of this process: if both stand still for a while, none is missing."""
        while True:
            await asyncio.sleep(BEAT)
            self._missed += 1
            if self._missed > (_MOST_MISSED if self.beats else _MOST_MISSED_AT_START):
                fields = {"worker": self.number, "pid": self._process.pid, "missed": self._missed - 1}
                log.error("a worker gives no sign of life, and is killed", extra={"fields": fields})
                with suppress(ProcessLookupError):
                    self._process.kill()
                return


def reason_of_end(status: int) -> str:
    """Say how a process has ended."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Make a channel that keeps messages apart and tells of the end of the other side; parent's end first."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs
