"""Taking in a request body, up to a limit."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Receive


class BodyTooLarge(Exception):
    """The body is longer than the service accepts."""

    def __init__(self, limit: int) -> None:
        """Name the limit in bytes."""
        super().__init__(f"request body is larger than {limit} bytes")


async def take_body(receive: Receive, declared: bytes, limit: int) -> bytes:
    """Read the whole body, of which ``Content-Length`` declares this length, if any.

    Raises BodyTooLarge as soon as it is known, ClientDisconnect when the caller leaves.
    """
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit)
    chunks: list[bytes] = []
    taken = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        taken += len(chunk)
        if taken > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)
