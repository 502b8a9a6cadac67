"""Checks an answer of a plugin before the generated classes read it.

The flatbuffers runtime for Python has no verifier: it follows every offset, also backwards and out of the buffer,
believes every length, and raises whatever comes of it. This is the structural check that the C++ runtime calls
``Verifier``, for the messages a plugin may write: every table, vector and string lies within the frame, and reading
the message takes no longer than its size justifies (offsets may share their targets, so that a frame of a
kilobyte could otherwise spell gigabytes).
"""

from __future__ import annotations

import struct
from typing import Never

from wfx.plugin.errors import MessageError
from wfx.plugin.generated.messages import Payload

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_SHARING = 4
"""How often, on average, a byte of a frame may be read by way of shared offsets…"""
_SLACK = 65_536
"""…beyond this many bytes."""
_ITEMS = 65_536
"""How many tables, vectors and strings one message may have."""


def verify_answer(frame: bytes) -> None:
    """Raise MessageError unless ``frame`` holds a ``PluginResponse`` that is safe to read."""
    walk = _Walk(frame)
    fields = walk.table(walk.target(0))
    fields.scalar(1, 8)
    tag_at = fields.scalar(2, 1)
    payload_at = fields.scalar(3, 4)
    if not payload_at:
        return
    tag = frame[tag_at] if tag_at else Payload.NONE
    if tag == Payload.client_Request:
        _request(walk, payload_at)
    elif tag == Payload.client_Response:
        _response(walk, payload_at)
    elif tag != Payload.NONE:
        raise MessageError(f"answered with a payload of the unknown kind {tag}")


def _request(walk: _Walk, at: int) -> None:
    fields = walk.table(walk.target(at))
    walk.string(fields.scalar(1, 4))
    walk.envelope(fields.scalar(3, 4))
    walk.vector(fields.scalar(4, 4), 1)


def _response(walk: _Walk, at: int) -> None:
    fields = walk.table(walk.target(at))
    fields.scalar(0, 1)
    walk.envelope(fields.scalar(1, 4))
    walk.vector(fields.scalar(2, 4), 1)


class _Walk:
    """Follows offsets within one frame and pays for what it finds there."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.size = len(frame)
        self._bytes = _SHARING * self.size + _SLACK
        self._items = _ITEMS

    def unsigned(self, at: int) -> int:
        """Read four bytes that must lie within the frame."""
        if not 0 <= at <= self.size - 4:
            _refuse("points out of the frame")
        value: int = _U32.unpack_from(self.frame, at)[0]
        return value

    def short(self, at: int) -> int:
        """Read two bytes that must lie within the frame."""
        if not 0 <= at <= self.size - 2:
            _refuse("points out of the frame")
        value: int = _U16.unpack_from(self.frame, at)[0]
        return value

    def target(self, at: int) -> int:
        """Follow the offset that stands at ``at``."""
        return at + self.unsigned(at)

    def table(self, at: int) -> _Fields:
        """Check a table and the vtable that describes it."""
        self._pay(0)
        self.unsigned(at)
        vtable = at - int(_I32.unpack_from(self.frame, at)[0])
        length, extent = self.short(vtable), self.short(vtable + 2)
        if length < 4 or length % 2 or vtable + length > self.size:
            _refuse("has a malformed vtable")
        if extent < 4 or at + extent > self.size:
            _refuse("has a table that ends outside of the frame")
        return _Fields(self, at, vtable, length, extent)

    def vector(self, at: int, width: int) -> range:
        """Check a vector of elements of ``width`` bytes; give the positions of its elements. 0 is an absent vector."""
        if not at:
            return range(0)
        start = self.target(at)
        extent = self.unsigned(start) * width
        self._pay(extent)
        if start + 4 + extent > self.size:
            _refuse("has a vector or string that ends outside of the frame")
        return range(start + 4, start + 4 + extent, width)

    def string(self, at: int) -> None:
        """Check a string, which is a vector of bytes."""
        self.vector(at, 1)

    def envelope(self, at: int) -> None:
        """Check a vector of headers with everything in it."""
        for entry in self.vector(at, 4):
            fields = self.table(self.target(entry))
            self.string(fields.scalar(0, 4))
            for value in self.vector(fields.scalar(1, 4), 4):
                self.string(value)

    def _pay(self, extent: int) -> None:
        self._items -= 1
        self._bytes -= extent
        if self._items < 0 or self._bytes < 0:
            _refuse("has too many parts, or repeats them too often")


class _Fields:
    """The fields of one table."""

    def __init__(self, walk: _Walk, at: int, vtable: int, length: int, extent: int) -> None:
        self._walk, self._at, self._vtable, self._length, self._extent = walk, at, vtable, length, extent

    def scalar(self, number: int, width: int) -> int:
        """Give the position of a field's inline part, 0 if the field is absent."""
        slot = 4 + 2 * number
        if slot >= self._length:
            return 0
        offset = self._walk.short(self._vtable + slot)
        if not offset:
            return 0
        if offset < 4 or offset + width > self._extent:
            _refuse("has a field outside of its table")
        return self._at + offset


def _refuse(what: str) -> Never:
    raise MessageError(f"wrote a message that {what}")
