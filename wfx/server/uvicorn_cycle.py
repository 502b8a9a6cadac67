"""Request and answer under uvicorn."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from wfx.api.reply import CLOSE, RawHeader
from wfx.server.request_task import STREAM, RequestTask

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_USUAL_NAMES = frozenset(
    {b"date", b"vary", b"access-control-allow-origin", b"x-content-type-options", b"x-response-filter"}
)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_BODY = (204, 304)


class Cycle(RequestResponseCycle, RequestTask):
    """uvicorn's request and answer, stopped on demand, and quicker: the header leaves with the body, checked once."""

    _left: int | None = None
    """Bytes of the body that are still to come, where that was announced."""
    _head = b""
    """The header of the answer, until it is sent."""

    async def break_off(self) -> None:
        """End the connection."""
        self.transport.close()

    async def send(self, message: Message) -> None:  # type: ignore[override]  # ASGI by another name
        """Send a part of the answer. Raises RuntimeError for what is no answer."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.body" and (self._head or self.response_started) and not self.response_complete:
            self._send_body(message.get("body", b""), last=not message.get("more_body", False))
        elif kind == "http.response.start" and not self.response_started:
            self._send_head(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    def _send_head(self, status: int, headers: Iterable[RawHeader]) -> None:
        fields = self._fields(headers)
        if not self.keep_alive:
            fields.append(CLOSE)
        if self.chunked_encoding is None and status not in _NO_BODY and self.scope["method"] != "HEAD":
            self.chunked_encoding = self.scope["http_version"] == "1.1"
            if self.chunked_encoding:
                fields.append((b"transfer-encoding", b"chunked"))
        self._head = _write_head(STATUS_LINE[status], fields)
        self.waiting_for_100_continue = False
        if self.endless:
            self._write(b"")

    def _fields(self, headers: Iterable[RawHeader]) -> list[RawHeader]:
        """Give the header fields to send; what they say about the answer's form is taken in."""
        fields = [*self.default_headers]
        for field in headers:
            name, value = field
            if name == b"content-length":
                self.chunked_encoding = False
                self._left = int(value)
            elif name == b"content-type":
                if value.startswith(STREAM):
                    self.stream()
            elif name == b"connection":
                self.keep_alive = self.keep_alive and b"close" not in value.lower()
                if not self.keep_alive:
                    continue
            elif name not in _USUAL_NAMES and not _NAME.fullmatch(name):
                raise RuntimeError(f"not a name of a header field: {name!r}")
            fields.append(field)
        return fields

    def _write(self, data: bytes) -> None:
        self.response_started = True
        if self._head:
            data, self._head = self._head + data, b""
        if data:
            self.transport.write(data)

    def _send_body(self, body: bytes, *, last: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        elif self.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if last else b"")
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (last and self._left):
                raise RuntimeError("the answer's length is not what was announced")
        self._write(body)
        if last:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()


def _write_head(status_line: bytes, fields: list[RawHeader]) -> bytes:
    """Write the header of an answer. Raises RuntimeError rather than let a value pass for more than a value."""
    parts = [status_line]
    for name, value in fields:
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"\r\n")
    head = b"".join(parts)
    lines = len(fields) + 2
    if _CONTROL.search(head) or head.count(b"\n") != lines or head.count(b"\r") != lines:
        raise RuntimeError("control characters in a header field")
    return head
