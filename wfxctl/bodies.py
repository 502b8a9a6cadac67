"""Bodies of answers: unpacked in small pieces, and read up to a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

LARGEST = 128 * 1024 * 1024
"""Bytes that the body of an answer may have, unpacked."""
_PIECE = 64 * 1024
_GZIP = zlib.MAX_WBITS | 16
"""How zlib is told to expect gzip."""


class Unreadable(Exception):
    """The body is too large, or packed in a way that was not asked for."""


def unpacked(raw: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield a body as it was before this ``Content-Encoding``, never much at a time, however well it was packed.

    Raises Unreadable.
    """
    match coding.strip().lower():
        case "" | "identity":
            yield from raw
        case "gzip" | "x-gzip":
            yield from _gunzipped(raw)
        case other:
            raise Unreadable(f"the answer has Content-Encoding {other[:80]!r}, where only gzip was asked for")


def whole(pieces: Iterable[bytes], limit: int | None = None) -> bytes:
    """Join the pieces of a body. Raises Unreadable as soon as they are more than ``limit`` bytes."""
    limit = LARGEST if limit is None else limit
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limit:
            raise Unreadable(f"the answer has more than {limit} bytes")
    return bytes(body)


def _gunzipped(raw: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    for packed in raw:
        rest, piece = packed, b""
        while rest or len(piece) == _PIECE:
            try:
                piece = unpacker.decompress(rest, _PIECE)
            except zlib.error as exc:
                raise Unreadable(f"the answer is no valid gzip: {exc}") from exc
            rest = unpacker.unconsumed_tail
            if piece:
                yield piece
