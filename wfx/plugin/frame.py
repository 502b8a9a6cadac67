"""Framing of the plugin protocol: 4 bytes little-endian length, then the message (server section 11.2)."""

from __future__ import annotations

from collections.abc import Iterator

from wfx.plugin.errors import FrameError

PREFIX = 4


class FrameDecoder:
    """Cuts a stream of bytes into frames; memory is bounded by the largest frame allowed."""

    def __init__(self, limit: int) -> None:
        """Refuse frames of more than ``limit`` bytes."""
        self._limit = limit
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each frame that ``data`` completes, without its prefix; raise FrameError if one is too long."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= PREFIX:
                end = start + PREFIX + self._length(start)
                if end > len(self._buffer):
                    return
                yield bytes(self._buffer[start + PREFIX : end])
                start = end
        finally:
            del self._buffer[:start]

    def _length(self, start: int) -> int:
        length = int.from_bytes(self._buffer[start : start + PREFIX], "little")
        if length > self._limit:
            raise FrameError(f"announced a frame of {length} bytes, more than the {self._limit} that are allowed")
        return length
