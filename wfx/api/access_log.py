"""ASGI middleware that logs each request and its answer, at level debug and trace (server section 6)."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wfx import logs
from wfx.api.body_log import BodyText, is_json, query_text
from wfx.host_port import host_port

log = logging.getLogger("wfx.access")
_DEFINITION = b"/definition"


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
        if log.isEnabledFor(logs.TRACE):
            receive, send = _body_logging_receive(scope, receive), _body_logging_send(scope, send)

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        started = time.perf_counter()
        fields = _fields(scope)
        query = query_text(scope["query_string"]) if log.isEnabledFor(logs.TRACE) else ""
        log.debug("processing", extra={"fields": fields | ({"query": query} if query else {})})
        try:
            await self._app(scope, receive, watch)
        finally:
            duration = round((time.perf_counter() - started) * 1000, 3)
            log.debug("finished", extra={"fields": {**fields, "code": code, "duration": duration}})


def _body_logging_receive(scope: Scope, receive: Receive) -> Receive:
    """Return a ``receive`` that logs the request's body once it has been received."""
    body = _body_text(scope)

    async def watch() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            _add(body, message, "request body")
        return message

    return watch


def _body_logging_send(scope: Scope, send: Send) -> Send:
    """Return a ``send`` that logs the answer's body once it is complete, unless it is a stream of events or a file."""
    body = _body_text(scope)
    shown = False

    async def watch(message: Message) -> None:
        nonlocal shown
        if message["type"] == "http.response.start":
            shown = is_json(message.get("headers", ()))
        elif message["type"] == "http.response.body" and shown:
            _add(body, message, "response body")
        await send(message)

    return watch


def _body_text(scope: Scope) -> BodyText:
    return BodyText(is_definition=scope["raw_path"].endswith(_DEFINITION))


def _add(body: BodyText, message: Message, name: str) -> None:
    """Add the piece of the body in a message; log the body with the last one."""
    body.add(bytes(message.get("body", b"")))
    if not message.get("more_body", False) and body.size:
        log.log(logs.TRACE, name, extra={"fields": {"body": body.text()}})


def _fields(scope: Scope) -> dict[str, object]:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    client = scope.get("client")
    return {
        "remoteAddr": host_port(*client) if client else "",
        "method": scope["method"],
        "path": _path(scope["raw_path"]),
        "host": host.decode("latin-1"),
        "tls": scope["scheme"] == "https",
    }


def _path(raw: bytes) -> str:
    """Return the path as it was sent, or decoded if there is a secret in it, which is hidden where it can be read."""
    sent, decoded = raw.decode("latin-1"), unquote(raw)
    return sent if logs.beginning(decoded, len(decoded)).text == decoded else decoded
