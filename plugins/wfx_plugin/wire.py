"""Between frames and the model: reads requests, writes answers, and the other way round (schemas in fbs/).

Both are done by hand: the flatbuffers runtime takes 180 µs to read eight headers and 120 µs to write them, ten times as
long. What the server writes is sound, so nothing is checked here. The layout of an answer is the same each time, all
offsets point forward, and so it can be written in one go. Modify and Respond:

    0 size  4 root  8 vtable  20 PluginResponse  40 vtable of Envelope
    48 vtable  64 client.Request   84 destination, headers, body
    48 vtable  60 client.Response  76 headers, body

The layout of a request to another plugin:

    0 size  4 root  8 vtable  20 PluginRequest  40 vtable of Envelope  48 vtable  72 client.Request  108 destination …
"""

from __future__ import annotations

import struct

from wfx_plugin.generated import messages as wire
from wfx_plugin.model import (
    NO_ORIGIN,
    PASS,
    Action,
    Answer,
    Certificate,
    Decision,
    Headers,
    Modify,
    Origin,
    Pass,
    Request,
    Respond,
    Side,
    Status,
    values_of,
)

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_PASS = struct.Struct("<II4x4HiQ")
"""Size, root, vtable and table of an answer with nothing but a cookie: the first frame of server section 11.3."""
_MODIFY = struct.Struct("<II 6H iI3xBQ 4H 7H2x iIIIB3x")
_RESPOND = struct.Struct("<II 6H iI3xBQ 4H 5H2x iIIB3x")
_REQUEST = struct.Struct("<II 5H2x iQI 4x 4H 12H iIIIIIIIBB2x")
_CERTIFICATE = struct.Struct("<5H2x iIII")
_ENTRY = struct.Struct("<iII")
_ENVELOPE_VTABLE = 40
_PAD = (b"\0\0\0\0", b"\0\0\0", b"\0\0", b"\0")
"""Strings end with a zero, and what follows begins at a multiple of 4."""


def read_request(frame: bytes) -> tuple[int, Request]:
    """Read the cookie and the request of one frame (without its length prefix)."""
    cookie, request = _parts(frame)
    return cookie, _request(frame, request)


def read_answered(frame: bytes) -> tuple[int, Request, Answer | None]:
    """Read the number, the request and the answer of one frame that observers get; None if there is no answer."""
    cookie, request = _parts(frame)
    answer = _field(frame, request, 10)
    return cookie, _request(frame, request), _answered(frame, _target(frame, answer)) if answer else None


def _parts(frame: bytes) -> tuple[int, int]:
    """Give the cookie, and where the request is."""
    message = _unsigned(frame, 0)
    cookie, request = _field(frame, message, 1), _target(frame, _field(frame, message, 2))
    return _U64.unpack_from(frame, cookie)[0] if cookie else 0, request


def _request(frame: bytes, request: int) -> Request:
    action = _field(frame, request, 2)
    envelope, content = _field(frame, request, 3), _field(frame, request, 4)
    return Request(
        destination=_text(_bytes(frame, _field(frame, request, 1))),
        action=Action(frame[action]) if action else Action.READ,
        headers=(lambda: _headers(frame, _target(frame, envelope))) if envelope else {},
        body=_bytes(frame, content) if content else b"",
        origin=lambda: _origin(frame, request),
    )


def _origin(frame: bytes, request: int) -> Origin:
    method = _word(frame, request, 5)
    if not method:
        return NO_ORIGIN
    side, certificate = _field(frame, request, 7), _field(frame, request, 9)
    return Origin(
        method,
        _word(frame, request, 6),
        Side(frame[side]) if side else Side.UNKNOWN,
        _word(frame, request, 8),
        _certificate(frame, _target(frame, certificate)) if certificate else None,
    )


def _certificate(frame: bytes, table: int) -> Certificate:
    names = _field(frame, table, 2)
    found = [_text(_bytes(frame, name)) for name in _elements(frame, _target(frame, names))] if names else []
    return Certificate(_word(frame, table, 0), _word(frame, table, 1), tuple(found))


def _answered(frame: bytes, table: int) -> Answer:
    status, envelope, content, size, complete, microseconds = (_field(frame, table, number) for number in range(6))
    request_size = _field(frame, table, 8)
    return Answer(
        status=_U16.unpack_from(frame, status)[0] if status else 0,
        headers=_headers(frame, _target(frame, envelope)) if envelope else {},
        body=_bytes(frame, content) if content else b"",
        size=_U64.unpack_from(frame, size)[0] if size else 0,
        complete=bool(complete and frame[complete]),
        seconds=(_U64.unpack_from(frame, microseconds)[0] if microseconds else 0) / 1e6,
        answered_by=_word(frame, table, 6),
        operation=_word(frame, table, 7),
        request_size=_U64.unpack_from(frame, request_size)[0] if request_size else 0,
    )


def _word(frame: bytes, table: int, number: int) -> str:
    """Read a field that is a string; empty if it is absent."""
    at = _field(frame, table, number)
    return _text(_bytes(frame, at)) if at else ""


def read_answer(frame: bytes) -> tuple[int, Decision]:
    """Read the cookie and the decision of one frame (without its length prefix) of another plugin.

    Raises ValueError, IndexError or struct.error for what is no answer.
    """
    message = _unsigned(frame, 0)
    cookie, tag, payload = (_field(frame, message, number) for number in (1, 2, 3))
    kind = frame[tag] if tag and payload else wire.Payload.NONE
    number = _U64.unpack_from(frame, cookie)[0] if cookie else 0
    if kind == wire.Payload.NONE:
        return number, PASS
    table = _target(frame, payload)
    if kind == wire.Payload.client_Request:
        return number, _read_modify(frame, table)
    if kind == wire.Payload.client_Response:
        return number, _read_respond(frame, table)
    raise ValueError(f"a payload of the unknown kind {kind}")


def _read_modify(frame: bytes, table: int) -> Modify:
    destination, envelope, content = (_field(frame, table, number) for number in (1, 3, 4))
    return Modify(
        (_text(_bytes(frame, destination)) or None) if destination else None,
        _headers(frame, _target(frame, envelope)) if envelope else {},
        _bytes(frame, content) if content else None,
    )


def _read_respond(frame: bytes, table: int) -> Respond:
    status, envelope, content = (_field(frame, table, number) for number in range(3))
    return Respond(
        Status(frame[status]) if status else Status.DENY,
        _bytes(frame, content) if content else b"",
        _headers(frame, _target(frame, envelope)) if envelope else {},
    )


def _headers(frame: bytes, vector: int) -> dict[str, list[str]]:
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


def write_request(cookie: int, request: Request) -> bytes:
    """Write the frame, prefix included, that asks another plugin about a request."""
    origin, at, parts = request.origin, _REQUEST.size, list[bytes]()

    def place(block: bytes, table: int = 0) -> int:
        nonlocal at
        parts.append(block)
        at += len(block)
        return at - len(block) + table if block else 0

    destination = place(_string(_raw(request.destination)))
    method, peer, request_id = (
        place(_string(_raw(text)) if text else b"") for text in (origin.method, origin.peer, origin.request_id)
    )
    certificate = place(_certificate_block(origin.certificate) if origin.certificate else b"", 12)
    envelope = place(_envelope(request.headers, at))
    content = place(_string(request.body))
    head = _REQUEST.pack(
        at - 4, 16,
        10, 16, 0, 4, 12,
        12, cookie, 72 - 32,
        8, 12, 4, 8,
        24, 36, 0, 4, 32, 8, 12, method and 16, peer and 20, origin.side and 33, request_id and 24, certificate and 28,
        24, destination - 76, envelope - 80, content - 84, method and method - 88, peer and peer - 92,
        request_id and request_id - 96, certificate and certificate - 100, request.action, origin.side,
    )  # fmt: skip
    return b"".join((head, *parts))


def _certificate_block(certificate: Certificate) -> bytes:
    """Lay out vtable, table and texts."""
    subject, sha256 = _string(_raw(certificate.subject)), _string(_raw(certificate.sha256))
    head = _CERTIFICATE.pack(10, 16, 4, 8, 12, 12, 12, 8 + len(subject), 4 + len(subject) + len(sha256))
    return head + subject + sha256 + _strings([_string(_raw(name)) for name in certificate.names])


def write_answer(cookie: int, request: Request, decision: Decision) -> bytes:
    """Write the frame, prefix included, that answers the request of this cookie."""
    if isinstance(decision, Pass):
        return _PASS.pack(28, 16, 8, 12, 0, 4, 8, cookie)
    if isinstance(decision, Modify):
        return _modified(cookie, request, decision)
    if isinstance(decision, Respond):
        return _responded(cookie, decision)
    raise TypeError(f"a plugin decides Pass, Modify or Respond, not {decision!r}")


def _modified(cookie: int, request: Request, changes: Modify) -> bytes:
    destination = _string(_raw(request.destination if changes.destination is None else changes.destination))
    envelope_at = _MODIFY.size + len(destination)
    envelope = _envelope(request.headers if changes.headers is None else changes.headers, envelope_at)
    content_at = envelope_at + len(envelope)
    content = b"" if changes.body is None else _string(changes.body)
    head = _MODIFY.pack(
        content_at + len(content) - 4, 16,
        12, 20, 0, 12, 11, 4,
        12, 64 - 24, wire.Payload.client_Request, cookie,
        8, 12, 4, 8,
        14, 20, 0, 4, 16, 8, 12 if content else 0,
        16, _MODIFY.size - 68, envelope_at - 72, content_at - 76, request.action,
    )  # fmt: skip
    return b"".join((head, destination, envelope, content))


def _responded(cookie: int, response: Respond) -> bytes:
    envelope = _envelope(response.headers, _RESPOND.size)
    content_at = _RESPOND.size + len(envelope)
    content = _string(response.body)
    head = _RESPOND.pack(
        content_at + len(content) - 4, 16,
        12, 20, 0, 12, 11, 4,
        12, 60 - 24, wire.Payload.client_Response, cookie,
        8, 12, 4, 8,
        10, 16, 12, 4, 8,
        12, _RESPOND.size - 64, content_at - 68, response.status,
    )  # fmt: skip
    return b"".join((head, envelope, content))


def _envelope(headers: Headers, at: int) -> bytes:
    """Lay out the vector of headers and what it points to, beginning at position ``at``."""
    slots = at + 4
    here = slots + 4 * len(headers)
    offsets: list[int] = []
    parts: list[bytes] = []
    for name, values in headers.items():
        offsets.append(here - slots - 4 * len(offsets))
        label = _string(_raw(name))
        texts = _strings([_string(_raw(value)) for value in values_of(values)])
        # From the field to its target: the name stands right after the table, the values after the name.
        parts += (_ENTRY.pack(here - _ENVELOPE_VTABLE, 8, 4 + len(label)), label, texts)
        here += 12 + len(label) + len(texts)
    return b"".join((_vector(offsets), *parts))


def _strings(texts: list[bytes]) -> bytes:
    offsets = []
    ahead = 4 * len(texts)
    for text in texts:
        offsets.append(ahead)
        ahead += len(text) - 4
    return b"".join((_vector(offsets), *texts))


def _vector(offsets: list[int]) -> bytes:
    return struct.pack(f"<{1 + len(offsets)}I", len(offsets), *offsets)


def _string(text: bytes) -> bytes:
    return _U32.pack(len(text)) + text + _PAD[len(text) % 4]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
