"""Reads answers of plugins (server sections 11.2 and 11.3), and trusts nothing in them.

The flatbuffers runtime for Python has no verifier: it follows every offset, also backwards and out of the buffer,
believes every length, and takes 180 µs for eight headers. Here every table, vector and string is checked to lie within
the frame before it is read, and reading takes no longer than the size of the frame justifies: offsets may share their
targets, so that a frame of a kilobyte could otherwise spell gigabytes. Anything unsound is a MessageError.
"""

from __future__ import annotations

import struct
from typing import Never

from wfx.plugin.errors import MessageError
from wfx.plugin.generated.messages import Payload, ResponseStatus
from wfx.plugin.message import PASS, Decision, Headers, Modify, Respond

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_SHARING = 4
"""How often, on average, a byte of a frame may be read by way of shared offsets…"""
_SLACK = 65_536
"""…beyond this many bytes."""
_ITEMS = 65_536
"""How many tables, vectors and strings one message may have."""
_STATUS = {
    ResponseStatus.Deny: 403,
    ResponseStatus.Accept: 200,
    ResponseStatus.Modified: 200,
    ResponseStatus.Unavailable: 503,
}


def decode_answer(frame: bytes) -> tuple[int, Decision]:
    """Read the cookie and the decision of one ``PluginResponse``; raise MessageError if it is not a sound one.

    A payload is what counts: without one the tag means nothing, because a plugin that echoes the request (``cat``)
    has other bytes in that place. A payload whose tag is unknown is an error, never a pass.
    """
    reader = _Reader(frame)
    answer = reader.table(reader.target(0))
    cookie_at, tag_at, payload_at = answer.field(1, 8), answer.field(2, 1), answer.field(3, 4)
    cookie = _U64.unpack_from(frame, cookie_at)[0] if cookie_at else 0
    tag = frame[tag_at] if tag_at else Payload.NONE
    if not payload_at or tag == Payload.NONE:
        return cookie, PASS
    if tag == Payload.client_Request:
        return cookie, _modify(reader, reader.table(reader.target(payload_at)))
    if tag == Payload.client_Response:
        return cookie, _respond(reader, reader.table(reader.target(payload_at)))
    raise MessageError(f"answered with a payload of the unknown kind {tag}")


def _modify(reader: _Reader, request: _Table) -> Modify:
    return Modify(
        destination=reader.string(request.field(1, 4)) or b"",
        headers=reader.headers(request.field(3, 4)),
        body=reader.string(request.field(4, 4)),
    )


def _respond(reader: _Reader, response: _Table) -> Respond:
    status_at = response.field(0, 1)
    number = reader.frame[status_at] if status_at else ResponseStatus.Deny
    status = _STATUS.get(number)
    if status is None:
        raise MessageError(f"answered with the unknown status {number}")
    return Respond(status, reader.headers(response.field(1, 4)), reader.string(response.field(2, 4)) or b"")


class _Reader:
    """Follows offsets within one frame, and keeps account of what it reads."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.size = len(frame)
        self._bytes = _SHARING * self.size + _SLACK
        self._items = _ITEMS

    def unsigned(self, at: int) -> int:
        """Read four bytes."""
        if not 0 <= at <= self.size - 4:
            _refuse("points out of the frame")
        value: int = _U32.unpack_from(self.frame, at)[0]
        return value

    def short(self, at: int) -> int:
        """Read two bytes."""
        if not 0 <= at <= self.size - 2:
            _refuse("points out of the frame")
        value: int = _U16.unpack_from(self.frame, at)[0]
        return value

    def target(self, at: int) -> int:
        """Follow the offset that stands at ``at``."""
        return at + self.unsigned(at)

    def table(self, at: int) -> _Table:
        """Find a table by way of the vtable that describes it."""
        self._pay(0)
        self.unsigned(at)
        vtable = at - int(_I32.unpack_from(self.frame, at)[0])
        length, extent = self.short(vtable), self.short(vtable + 2)
        if length < 4 or length % 2 or vtable + length > self.size:
            _refuse("has a malformed vtable")
        if extent < 4 or at + extent > self.size:
            _refuse("has a table that ends outside of the frame")
        return _Table(self, at, vtable, length, extent)

    def vector(self, at: int, width: int) -> range:
        """Give the positions of the elements of a vector, none if the field at ``at`` is absent (0)."""
        if not at:
            return range(0)
        start = self.target(at)
        extent = self.unsigned(start) * width
        self._pay(extent)
        if start + 4 + extent > self.size:
            _refuse("has a vector or string that ends outside of the frame")
        return range(start + 4, start + 4 + extent, width)

    def string(self, at: int) -> bytes | None:
        """Read a string or a vector of bytes, None if the field at ``at`` is absent (0)."""
        where = self.vector(at, 1)
        return self.frame[where.start : where.stop] if at else None

    def headers(self, at: int) -> Headers:
        """Read a vector of envelopes."""
        return tuple(self._header(self.table(self.target(entry))) for entry in self.vector(at, 4))

    def _header(self, entry: _Table) -> tuple[bytes, tuple[bytes, ...]]:
        name = self.string(entry.field(0, 4)) or b""
        return name, tuple(self.string(value) or b"" for value in self.vector(entry.field(1, 4), 4))

    def _pay(self, extent: int) -> None:
        self._items -= 1
        self._bytes -= extent
        if self._items < 0 or self._bytes < 0:
            _refuse("has too many parts, or repeats them too often")


class _Table:
    """One table, of which fields may be absent."""

    __slots__ = ("_at", "_extent", "_length", "_reader", "_vtable")

    def __init__(self, reader: _Reader, at: int, vtable: int, length: int, extent: int) -> None:
        self._reader, self._at, self._vtable, self._length, self._extent = reader, at, vtable, length, extent

    def field(self, number: int, width: int) -> int:
        """Give the position of the ``width`` bytes of a field, 0 if it is absent."""
        slot = 4 + 2 * number
        if slot >= self._length:
            return 0
        offset = self._reader.short(self._vtable + slot)
        if not offset:
            return 0
        if offset < 4 or offset + width > self._extent:
            _refuse("has a field outside of its table")
        return self._at + offset


def _refuse(what: str) -> Never:
    raise MessageError(f"wrote a message that {what}")
