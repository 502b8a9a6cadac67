"""Decoder of plugin answers, with checks of everything in them (server sections 11.2 and 11.3).

The flatbuffers runtime for Python has no verifier: it follows every offset, also backwards and out of the buffer,
believes every length, and takes 180 µs for eight headers. Here every table, vector and string is checked to lie within
the frame before it is read, and reading takes no longer than the size of the frame justifies: offsets may share their
targets, so that a frame of a kilobyte could otherwise spell gigabytes. Anything unsound is a MessageError. Positions
are never negative, except for vtables, which are looked at for it; what lies beyond the end is a ``struct.error``.
"""

from __future__ import annotations

import struct
from typing import Never

from wfx.plugin.errors import MessageError
from wfx.plugin.generated.messages import Payload, ResponseStatus
from wfx.plugin.message import PASS, Decision, Headers, Modify, Respond

_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_SHAPE = struct.Struct("<HH")
_MOST_FIELDS = 5
"""Fields that the largest table of the schemas has."""
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
_Shape = tuple[int, tuple[int, ...]]
"""How long a table is, and where in it its fields are."""
_Table = tuple[int, int, tuple[int, ...]]
"""Where a table is, and its shape; fields may be absent."""


def decode_answer(frame: bytes) -> tuple[int, Decision]:
    """Read the cookie and the decision of one ``PluginResponse``; raise MessageError if it is not a sound one.

    A payload is what counts: without one the tag means nothing, because a plugin that echoes the request (``cat``)
    has other bytes in that place. A payload whose tag is unknown is an error, never a pass.
    """
    try:
        return _decode(_Reader(frame))
    except struct.error:
        raise MessageError("wrote a message that points out of the frame") from None


def _decode(reader: _Reader) -> tuple[int, Decision]:
    frame = reader.frame
    answer = reader.table(reader.target(0))
    cookie_at, tag_at, payload_at = _field(answer, 1, 8), _field(answer, 2, 1), _field(answer, 3, 4)
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
        destination=reader.string(_field(request, 1, 4)) or b"",
        headers=reader.headers(_field(request, 3, 4)),
        body=reader.string(_field(request, 4, 4)),
    )


def _respond(reader: _Reader, response: _Table) -> Respond:
    status_at = _field(response, 0, 1)
    number = reader.frame[status_at] if status_at else ResponseStatus.Deny
    status = _STATUS.get(number)
    if status is None:
        raise MessageError(f"answered with the unknown status {number}")
    return Respond(status, reader.headers(_field(response, 1, 4)), reader.string(_field(response, 2, 4)) or b"")


class _Reader:
    """Follows offsets within one frame, and keeps account of what it reads."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self._size = len(frame)
        self._bytes = _SHARING * self._size + _SLACK
        self._items = _ITEMS
        self._shapes: dict[int, _Shape] = {}

    def target(self, at: int) -> int:
        """Follow the offset that stands at ``at``."""
        offset: int = _U32.unpack_from(self.frame, at)[0]
        return at + offset

    def table(self, at: int) -> _Table:
        """Find a table by way of the vtable that describes it, which many tables may share."""
        vtable = at - _I32.unpack_from(self.frame, at)[0]
        extent, offsets = self._shapes.get(vtable) or self._shape(vtable)
        self._pay(0)
        if at + extent > self._size:
            _refuse("has a table that ends outside of the frame")
        return at, extent, offsets

    def _shape(self, vtable: int) -> _Shape:
        if vtable < 0:
            _refuse("points out of the frame")
        length, extent = _SHAPE.unpack_from(self.frame, vtable)
        if length < 4 or length % 2 or vtable + length > self._size:
            _refuse("has a malformed vtable")
        if extent < 4:
            _refuse("has a table that ends outside of the frame")
        fields = min(length // 2 - 2, _MOST_FIELDS)
        shape = self._shapes[vtable] = extent, struct.unpack_from(f"<{fields}H", self.frame, vtable + 4)
        return shape

    def vector(self, at: int) -> range:
        """Give the positions of the offsets in a vector, none if the field at ``at`` is absent (0)."""
        if not at:
            return range(0)
        start, count = self._array(at, 4)
        return range(start, start + 4 * count, 4)

    def string(self, at: int) -> bytes | None:
        """Read a string or a vector of bytes, None if the field at ``at`` is absent (0)."""
        if not at:
            return None
        start, length = self._array(at, 1)
        return self.frame[start : start + length]

    def headers(self, at: int) -> Headers:
        """Read a vector of envelopes."""
        return tuple([self._header(self.table(self.target(entry))) for entry in self.vector(at)])

    def _header(self, entry: _Table) -> tuple[bytes, tuple[bytes, ...]]:
        name = self.string(_field(entry, 0, 4)) or b""
        return name, tuple([self.string(value) or b"" for value in self.vector(_field(entry, 1, 4))])

    def _array(self, at: int, width: int) -> tuple[int, int]:
        """Find where the elements begin to which the offset at ``at`` leads, and how many there are."""
        start = at + _U32.unpack_from(self.frame, at)[0]
        count: int = _U32.unpack_from(self.frame, start)[0]
        self._pay(count * width)
        if start + 4 + count * width > self._size:
            _refuse("has a vector or string that ends outside of the frame")
        return start + 4, count

    def _pay(self, extent: int) -> None:
        self._items -= 1
        self._bytes -= extent
        if self._items < 0 or self._bytes < 0:
            _refuse("has too many parts, or repeats them too often")


def _field(table: _Table, number: int, width: int) -> int:
    """Give the position of the ``width`` bytes of a field, 0 if it is absent."""
    at, extent, offsets = table
    offset = offsets[number] if number < len(offsets) else 0
    if not offset:
        return 0
    if offset < 4 or offset + width > extent:
        _refuse("has a field outside of its table")
    return at + offset


def _refuse(what: str) -> Never:
    raise MessageError(f"wrote a message that {what}")
