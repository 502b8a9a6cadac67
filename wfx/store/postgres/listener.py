"""Hears of what other servers put on the log: by NOTIFY, and by asking every second in case that is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from wfx.domain.errors import StoreError
from wfx.store.postgres.connections import Connection, Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.known_log import KnownLog

_log = logging.getLogger(__name__)

_CHANNEL = "wfx_log"
_POLL_SECONDS = 1.0
_DEAF_POLL_SECONDS = 0.1


class Listener:
    """Tells the head of the log whenever it has grown, from the moment of :meth:`start` on."""

    def __init__(
        self,
        connect: Open,
        known: KnownLog,
        own_pid: Callable[[], int],
        settled: Callable[[], Awaitable[None]],
        deadlines: Deadlines,
        *,
        notified: bool,
    ) -> None:
        """Ignore notifications by the process ``own_pid``: of these its server knows more.

        What is under way there when the head is read is waited for by ``settled``. Where no notifications come the
        head is asked for more often. A connection that gives no answer in time is opened anew.
        """
        begin = self._listen if notified else None
        self.connection = Connection(connect, begin, seconds=deadlines.read, known_down=deadlines.known_down)
        self._pause = _POLL_SECONDS if notified else _DEAF_POLL_SECONDS
        self._known = known
        self._own_pid = own_pid
        self._settled = settled
        self._news = asyncio.Event()
        self._tell: Callable[[int], None] = lambda _: None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self.connection.is_open

    async def take_over(self, plain: Plain) -> None:
        """Listen on a connection that is there already. Raises StoreUnavailable."""
        self.connection.plain = plain
        await self._listen(plain)

    def start(self, tell: Callable[[int], None]) -> None:
        """Begin to listen."""
        self._tell = tell
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.connection.close()

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                head = await self.connection.read(self._known.check)
                await self._settled()  # who writes here tells of it, with the events
                self._tell(head)
            except StoreError as exc:
                _log.debug("cannot read the head of the log: %s", exc)
            except Exception:  # noqa: BLE001 - whatever it was, who stopped would show no others' events any more
                _log.exception("cannot read the head of the log")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._news.wait()

    async def _listen(self, plain: Plain) -> None:
        """Listen on a new connection, before the head is read for the first time."""
        await plain.add_listener(_CHANNEL, self._hear)
        plain.add_termination_listener(lambda _: self._news.set())

    def _hear(self, _connection: Any, pid: int, _channel: str, _payload: object) -> None:
        if pid != self._own_pid():
            self._news.set()
