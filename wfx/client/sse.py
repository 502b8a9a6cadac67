"""Server-sent events: the parser.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re

from wfx.client.errors import Unreadable

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes that an event may have; whoever sends more is no wfx."""
# The standard passes over ids with NUL; no control character may stand in the header that sends them back.
_UNSENDABLE = re.compile(rb"[\x00-\x1f\x7f]")
_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


class Parser:
    """Takes a stream apart, in whatever pieces it comes."""

    def __init__(self, last_id: str | None = None) -> None:
        """Begin at the start of a stream that goes on behind the event with this id."""
        self.last_id = last_id
        """The newest id that the stream gave, also without an event."""
        self.retry: float | None = None
        """How many seconds the stream wants to be waited before a reconnection."""
        self._line = bytearray()
        self._data: list[bytes] = []
        self._id = last_id
        self._size = 0
        self._after_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[tuple[str | None, str]]:
        """Return the ids and data of the events that this piece completes. Raises Unreadable for one too large."""
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        self._after_return = chunk.endswith(b"\r")
        completed = []
        beginning, *following = _END_OF_LINE.split(chunk)
        self._keep(beginning)
        for next_line in following:
            line = bytes(self._line)
            self._line.clear()
            if self._at_start:
                self._at_start, line = False, line.removeprefix(b"\xef\xbb\xbf")
            if line:
                self._field(line)
            else:
                completed += self._dispatch()
            self._keep(next_line)
        return completed

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LARGEST_EVENT:
            raise Unreadable(f"the server sends an event of more than {LARGEST_EVENT} bytes")
        self._line += piece

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"id" and not _UNSENDABLE.search(value):
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and re.fullmatch(rb"[0-9]{1,9}", value):
            self.retry = int(value) / 1000

    def _dispatch(self) -> list[tuple[str | None, str]]:
        self.last_id = self._id
        data, self._data, self._size = self._data, [], 0
        return [(self._id, b"\n".join(data).decode("utf-8", "replace"))] if data else []
