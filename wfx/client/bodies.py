"""Bodies of answers: unpacked in small pieces, up to a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from wfx.client.errors import Unreadable

LARGEST = 128 * 1024 * 1024
"""Bytes that the body of an answer may have, unpacked."""
_PIECE = 64 * 1024
_GZIP = zlib.MAX_WBITS | 16
"""How zlib is told to expect gzip."""


class Unpacker:
    """Gives a body as it was before its ``Content-Encoding``, never much at a time, however well it was packed."""

    def __init__(self, coding: str) -> None:
        """Take the header. Raises Unreadable for what was not asked for."""
        coding = coding.strip().lower()
        if coding not in {"", "identity", "gzip", "x-gzip"}:
            raise Unreadable(f"the answer has Content-Encoding {coding[:80]!r}, where only gzip was asked for")
        self._zlib = zlib.decompressobj(_GZIP) if coding.endswith("gzip") else None

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what a piece has in it. Raises Unreadable."""
        if self._zlib is None:
            yield packed
            return
        rest, piece = packed, b""
        while rest or len(piece) == _PIECE:
            try:
                piece = self._zlib.decompress(rest, _PIECE)
            except zlib.error as exc:
                raise Unreadable(f"the answer is no valid gzip: {exc}") from exc
            rest = self._zlib.unconsumed_tail
            if piece:
                yield piece


def unpacked(raw: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield a body as it was before this ``Content-Encoding``. Raises Unreadable."""
    unpacker = Unpacker(coding)
    for piece in raw:
        yield from unpacker.feed(piece)


def whole(pieces: Iterable[bytes], limit: int | None = None) -> bytes:
    """Join the pieces of a body. Raises Unreadable as soon as they are more than ``limit`` bytes."""
    body = Body(limit)
    for piece in pieces:
        body.add(piece)
    return body.whole()


class Body:
    """Collects the pieces of a body."""

    def __init__(self, limit: int | None = None) -> None:
        """Take no more than ``limit`` bytes."""
        self._limit = LARGEST if limit is None else limit
        self._collected = bytearray()

    def add(self, piece: bytes) -> None:
        """Add a piece. Raises Unreadable."""
        self._collected += piece
        if len(self._collected) > self._limit:
            raise Unreadable(f"the answer has more than {self._limit} bytes")

    def whole(self) -> bytes:
        """Return it."""
        return bytes(self._collected)
