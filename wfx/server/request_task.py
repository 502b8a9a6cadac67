"""Task that runs the app for one request, for either engine: counted, cancellable, errors logged."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp

from wfx.api.request import client_of
from wfx.server.edge_errors import CRASHED, Refusal
from wfx.server.limits import ListenerLimits

log = logging.getLogger("wfx.edge")

STREAM = b"text/event-stream"
"""The media type of answers that do not end."""
_SMALL = 4 * 1024
"""Bytes up to which bodies are not counted: at most 40 MB together, with the 10,000 requests that run by default."""


class RequestTask(ABC):
    """One request and its answer."""

    limits: ListenerLimits
    scope: Any
    receive: Any
    send: Any
    """These three are what an ASGI app is called with."""
    response_started: bool
    """Whether some of the answer is sent."""
    response_complete: bool
    disconnected: bool
    """Whether the client has left."""
    endless = False
    """Whether the answer is an event stream: it has no deadline and does not count as running."""
    received = 0
    """Bytes of its body so far."""
    _held = 0
    _runs = False
    _task: asyncio.Task[None] | None = None
    _refusal: Refusal | None = None

    @abstractmethod
    async def break_off(self) -> None:
        """End an answer that cannot be completed."""

    def begin(self, task: asyncio.Task[None]) -> None:
        """Count it as running in this task, which executes :meth:`run`."""
        self._task = task
        self.limits.running += 1
        if (proxies := self.limits.settings.current.proxies) is not None:
            proxies.apply(self.scope)

    def hold(self, size: int) -> bool:
        """Count ``size`` more bytes of its body, unless it is small; tells whether its client exceeds its share now."""
        self.received += size
        if self.received <= _SMALL:
            return False
        client = client_of(self.scope)
        self.limits.bodies.hold(client, self.received - self._held)
        self._held = self.received
        return self.limits.bodies.exceeds_share(client)

    def stream(self) -> None:
        """Count it as an event stream."""
        self.endless = True
        self.limits.running -= 1

    def release(self) -> None:
        """Stop counting it."""
        if self._held:
            self.limits.bodies.release(client_of(self.scope), self._held)
        if self._task is not None and not self.endless:
            self.limits.running -= 1

    async def run(self, app: ASGIApp) -> None:
        """Run the app. A request that is cancelled, since its client left or since it is refused, ends quietly."""
        self._runs = True
        try:
            await (app if self._refusal is None else self._refusal)(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            await self._answer_otherwise(self._refusal)
        except Exception:
            log.exception("unexpected error in the answer to %s", self._path)
            await self._answer_otherwise(CRASHED)
        else:
            if not self.response_complete and not self.disconnected:
                log.error("no complete answer to %s", self._path)
                await self._answer_otherwise(CRASHED)
        finally:
            self.release()
            if self.endless:
                self.scope.clear()  # anyio's task groups leave cycles that refer to it

    @property
    def _path(self) -> str:
        """The decoded path, for the log, which finds secrets in it."""
        return unquote(self.scope["raw_path"])

    async def _answer_otherwise(self, reason: Refusal | None) -> None:
        if reason is None or self.response_started:
            await self.break_off()
        else:
            await reason(self.scope, self.receive, self.send)

    def cut(self, reason: Refusal | None = None) -> None:
        """Cancel it: its client has left, or ``reason`` is to be answered."""
        self._refusal = reason
        self.disconnected = reason is None
        if self._task is None or (reason is not None and not self._runs):
            return
        self._task.cancel()
        if not self._runs:
            self.release()  # a task that is cancelled before it begins does not run its finally block
