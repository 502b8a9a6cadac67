"""HTTP answers with a complete body, and header fields for answers on their way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response
from starlette.types import Message, Scope, Send

RawHeader = tuple[bytes, bytes]

JSON: RawHeader = (b"content-type", b"application/json")
TEXT: RawHeader = (b"content-type", b"text/plain; charset=utf-8")
CLOSE: RawHeader = (b"connection", b"close")
LATER: RawHeader = (b"retry-after", b"5")
NO_STORE: RawHeader = (b"cache-control", b"no-store")
NOSNIFF: RawHeader = (b"x-content-type-options", b"nosniff")


class Reply(Response):
    """A finished answer with its headers as given; leaner than its parent, which builds them from mappings."""

    def __init__(self, status: int, body: bytes = b"", headers: Sequence[RawHeader] = ()) -> None:
        """Answer with this status, body and headers; the length is filled in where the status allows one."""
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = list(headers)
        if status not in (204, 304):
            self.raw_headers.append((b"content-length", b"%d" % len(body)))


def json_reply(body: bytes, status: int = 200, headers: Sequence[RawHeader] = ()) -> Reply:
    """Answer with a JSON document; it ends with a line break (rest-api section 4)."""
    return Reply(status, body + b"\n", (JSON, *headers))


def text_reply(status: int, line: str, headers: Sequence[RawHeader] = ()) -> Reply:
    """Answer with one line of prose (the "text 400" of the rest-api)."""
    return Reply(status, f"{line}\n".encode("utf-8", "replace"), (TEXT, NOSNIFF, *headers))


def method_not_allowed(methods: str, text: str = "Method Not Allowed") -> Reply:
    """Answer that a path has only these methods."""
    return text_reply(405, text, ((b"allow", methods.encode()),))


def refused_method(scope: Scope) -> Reply | None:
    """Return the answer to a method other than GET and HEAD, for what has only these; None for those."""
    return None if scope["method"] in ("GET", "HEAD") else method_not_allowed("GET, HEAD")


def adding_headers(send: Send, more: Callable[[list[RawHeader]], Sequence[RawHeader]]) -> Send:
    """Add header fields to what is sent; ``more`` gives those for an answer that has these."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            message = {**message, "headers": [*headers, *more(headers)]}
        await send(message)

    return marked
