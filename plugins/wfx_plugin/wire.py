"""Between frames and the model: reads requests, writes answers (schemas in fbs/).

What every request pays for is done by hand: reading, and letting pass. The flatbuffers runtime takes 180 µs to read
eight headers, ten times as long. What the server writes is sound, so nothing is checked here. The other answers
are left to the runtime.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import flatbuffers

from wfx_plugin.generated import messages as wire
from wfx_plugin.model import Action, Decision, Headers, Modify, Pass, Request, Respond, values_of

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_PASS = struct.Struct("<II4x4HiQ")
"""Size, root, vtable and table of an answer with nothing but a cookie: the first frame of server section 11.3."""
_START_SIZE = 256


def read_request(frame: bytes) -> tuple[int, Request]:
    """Read the cookie and the request of one frame (without its length prefix)."""
    message = _unsigned(frame, 0)
    cookie, request = _field(frame, message, 1), _target(frame, _field(frame, message, 2))
    action = _field(frame, request, 2)
    envelope, content = _field(frame, request, 3), _field(frame, request, 4)
    return _U64.unpack_from(frame, cookie)[0] if cookie else 0, Request(
        destination=_text(_bytes(frame, _field(frame, request, 1))),
        action=Action(frame[action]) if action else Action.READ,
        headers=(lambda: _headers(frame, _target(frame, envelope))) if envelope else {},
        body=_bytes(frame, content) if content else b"",
    )


def _headers(frame: bytes, vector: int) -> Headers:
    headers: dict[str, list[str]] = {}
    for at in _elements(frame, vector):
        entry = _target(frame, at)
        name, values = _field(frame, entry, 0), _field(frame, entry, 1)
        texts = [_text(_bytes(frame, value)) for value in _elements(frame, _target(frame, values))]
        headers[_text(_bytes(frame, name))] = texts
    return headers


def _field(frame: bytes, table: int, number: int) -> int:
    """Give the position of a field of a table, 0 if it is absent."""
    vtable = table - int(_I32.unpack_from(frame, table)[0])
    slot = 4 + 2 * number
    if slot >= _U16.unpack_from(frame, vtable)[0]:
        return 0
    offset: int = _U16.unpack_from(frame, vtable + slot)[0]
    return offset and table + offset


def _unsigned(frame: bytes, at: int) -> int:
    value: int = _U32.unpack_from(frame, at)[0]
    return value


def _target(frame: bytes, at: int) -> int:
    return at + _unsigned(frame, at)


def _elements(frame: bytes, vector: int) -> range:
    """Give the positions of the offsets in a vector."""
    return range(vector + 4, vector + 4 + 4 * _unsigned(frame, vector), 4)


def _bytes(frame: bytes, at: int) -> bytes:
    """Read the string or vector of bytes that the offset at ``at`` leads to."""
    start = _target(frame, at)
    return frame[start + 4 : start + 4 + _unsigned(frame, start)]


def write_answer(cookie: int, request: Request, decision: Decision) -> bytes:
    """Write the frame, prefix included, that answers the request of this cookie."""
    if isinstance(decision, Pass):
        return _PASS.pack(28, 16, 8, 12, 0, 4, 8, cookie)
    builder = flatbuffers.Builder(_START_SIZE)
    if isinstance(decision, Modify):
        kind, payload = wire.Payload.client_Request, _write_request(builder, request, decision)
    elif isinstance(decision, Respond):
        kind, payload = wire.Payload.client_Response, _write_response(builder, decision)
    else:
        raise TypeError(f"a plugin decides Pass, Modify or Respond, not {decision!r}")
    wire.PluginResponseStart(builder)
    wire.PluginResponseAddCookie(builder, cookie)
    wire.PluginResponseAddPayloadType(builder, kind)
    wire.PluginResponseAddPayload(builder, payload)
    builder.FinishSizePrefixed(wire.PluginResponseEnd(builder))
    return bytes(builder.Output())


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _write_request(builder: flatbuffers.Builder, request: Request, changes: Modify) -> int:
    destination = request.destination if changes.destination is None else changes.destination
    destination_at = builder.CreateString(_raw(destination))
    headers = request.headers if changes.headers is None else changes.headers
    envelope_at = _write_vector(builder, [_write_header(builder, *header) for header in headers.items()])
    content_at = None if changes.body is None else builder.CreateByteVector(changes.body)
    wire.RequestStart(builder)
    wire.RequestAddDestination(builder, destination_at)
    wire.RequestAddAction(builder, request.action)
    wire.RequestAddEnvelope(builder, envelope_at)
    if content_at is not None:
        wire.RequestAddContent(builder, content_at)
    return wire.RequestEnd(builder)


def _write_response(builder: flatbuffers.Builder, response: Respond) -> int:
    envelope_at = _write_vector(builder, [_write_header(builder, *header) for header in response.headers.items()])
    content_at = builder.CreateByteVector(response.body)
    wire.ResponseStart(builder)
    wire.ResponseAddStatus(builder, response.status)
    wire.ResponseAddEnvelope(builder, envelope_at)
    wire.ResponseAddContent(builder, content_at)
    return wire.ResponseEnd(builder)


def _write_header(builder: flatbuffers.Builder, name: str, values: str | Sequence[str]) -> int:
    name_at = builder.CreateString(_raw(name))
    values_at = _write_vector(builder, [builder.CreateString(_raw(value)) for value in values_of(values)])
    wire.EnvelopeStart(builder)
    wire.EnvelopeAddName(builder, name_at)
    wire.EnvelopeAddValues(builder, values_at)
    return wire.EnvelopeEnd(builder)


def _write_vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    at: int = builder.EndVector()
    return at
