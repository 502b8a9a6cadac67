"""Receives a request body, up to a limit."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from wfx.api.refusal import BodyTooLarge

_PIECE = 64 * 1024
"""Least bytes of a piece, the last one apart: a body may come byte by byte, and each piece costs memory."""
_LONGEST_NUMBER = 20
"""Digits of a length that are looked at: more than any body needs, fewer than Python refuses to read."""


async def take_body(receive: Receive, declared: bytes, limit: int) -> list[bytes]:
    """Read the whole body, in pieces, of which ``Content-Length`` declares this length, if any.

    Raises BodyTooLarge as soon as it is known, ClientDisconnect when the caller leaves.
    """
    if declared.isdigit() and int(declared[:_LONGEST_NUMBER]) > limit:
        raise BodyTooLarge(limit)
    piece, more = await _receive(receive)
    if not more and len(piece) <= limit:
        return [piece]
    pieces: list[bytes] = []
    small, taken = bytearray(), 0
    while True:
        taken += len(piece)
        if taken > limit:
            raise BodyTooLarge(limit)
        if len(piece) >= _PIECE and not small:
            pieces.append(piece)
        else:
            small += piece
        if len(small) >= _PIECE or (small and not more):
            pieces.append(bytes(small))
            small.clear()
        if not more:
            return pieces
        piece, more = await _receive(receive)


async def _receive(receive: Receive) -> tuple[bytes, bool]:
    """Return the next piece, and whether there will be more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)
