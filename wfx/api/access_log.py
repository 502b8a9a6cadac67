"""ASGI middleware that logs each request and its answer, at level debug (server section 6)."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wfx.host_port import host_port

log = logging.getLogger("wfx.access")


class AccessLog:
    """Logs requests; costs next to nothing unless level debug is on."""

    def __init__(self, app: ASGIApp) -> None:
        """Log what ``app`` answers."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on."""
        if scope["type"] != "http" or not log.isEnabledFor(logging.DEBUG):
            return self._app(scope, receive, send)
        return self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        code = 0

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        started = time.perf_counter()
        fields = _fields(scope)
        log.debug("processing", extra={"fields": fields})
        try:
            await self._app(scope, receive, watch)
        finally:
            duration = round((time.perf_counter() - started) * 1000, 3)
            log.debug("finished", extra={"fields": {**fields, "code": code, "duration": duration}})


def _fields(scope: Scope) -> dict[str, object]:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    client = scope.get("client")
    return {
        "remoteAddr": host_port(*client) if client else "",
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1"),
        "host": host.decode("latin-1"),
        "tls": scope["scheme"] == "https",
    }
