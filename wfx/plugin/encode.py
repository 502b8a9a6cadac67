"""Encoder of plugin requests as size-prefixed FlatBuffers (server sections 11.2 and 11.3).

The head is the same for every request: three vtables and two tables stand at fixed places, then comes what has a length
of its own. Offsets are relative and point forward, so all can be written in one go: the builder of the flatbuffers
runtime takes ten times as long.

    0 size  4 root  8 vtable  20 PluginRequest  36 vtable  64 client.Request  104 vtable of Envelope  112 destination …
"""

from __future__ import annotations

import struct
from functools import lru_cache

from wfx.plugin.message import Answer, Headers, PluginRequest
from wfx.request_context import ClientCertificate

_HEAD = struct.Struct("<II 5H2x iQI 13H2x iIIIIIIIIBB2x 4H")
_CERTIFICATE = struct.Struct("<5H2x iIII")
_ANSWER = struct.Struct("<11H2x iIIIQQQIHBx")
_ENVELOPE = struct.Struct("<iII")
_ONE = struct.Struct("<III")
_U32 = struct.Struct("<I")
_REQUEST = 64
_ENVELOPE_VTABLE = 104
_TAIL = 112
_CERTIFICATE_TABLE = 12
_ANSWER_TABLE = 24
"""Where the table is in its block, behind its vtable."""
_PAD = (b"\0\0\0\0", b"\0\0\0", b"\0\0", b"\0")


class _Tail:
    """What comes behind the head."""

    __slots__ = ("at", "parts")

    def __init__(self) -> None:
        self.at = _TAIL
        """Where the next part begins."""
        self.parts: list[bytes] = []

    def add(self, block: bytes) -> int:
        """Append a part, whose length is a multiple of four; give its position."""
        at = self.at
        self.at += len(block)
        self.parts.append(block)
        return at

    def text(self, text: bytes) -> int:
        """Append a text; 0 if it is empty and so absent."""
        return self.add(_string(text)) if text else 0

    def certificate(self, certificate: ClientCertificate | None) -> int:
        return 0 if certificate is None else self.add(_certificate(certificate)) + _CERTIFICATE_TABLE

    def answer(self, answer: Answer | None) -> int:
        if answer is None:
            return 0
        if self.at % 8:
            self.add(_PAD[0])
        table = self.at + _ANSWER_TABLE
        self.add(_answer(answer, table))
        return table


def encode_request(cookie: int, request: PluginRequest) -> bytes:
    """Give the frame, prefix included, that asks a plugin about ``request``, or tells it of the answer."""
    tail, origin = _Tail(), request.origin
    destination = tail.add(_string(request.destination))
    method, peer, request_id = tail.text(origin.method), tail.text(origin.peer), tail.text(origin.request_id)
    certificate, answer = tail.certificate(origin.certificate), tail.answer(request.answer)
    envelope = tail.add(_envelope(request.headers, tail.at))
    content = tail.at
    head = _HEAD.pack(
        content + len(request.body), 16,
        10, 16, 0, 4, 12,
        12, cookie, _REQUEST - 32,
        26, 40, 0, 4, 36, 8, 12, method and 16, peer and 20, origin.side and 37, request_id and 24,
        certificate and 28, answer and 32,
        28, destination - 68, envelope - 72, content - 76, _ahead(method, 80), _ahead(peer, 84),
        _ahead(request_id, 88), _ahead(certificate, 92), _ahead(answer, 96), request.action, origin.side,
        8, 12, 4, 8,
    )  # fmt: skip
    return b"".join((head, *tail.parts, _U32.pack(len(request.body)), request.body))


def _ahead(target: int, field: int) -> int:
    """Give the offset from a field to what it refers to; 0 if that is absent."""
    return target and target - field


@lru_cache(maxsize=256)
def _certificate(certificate: ClientCertificate) -> bytes:
    """Lay out vtable, table and texts; a device shows the same one with each request."""
    subject, sha256 = _string(certificate.subject.encode()), _string(certificate.sha256.encode())
    head = _CERTIFICATE.pack(
        10, 16, 4, 8, 12,
        12, 12, 8 + len(subject), 4 + len(subject) + len(sha256),
    )  # fmt: skip
    return head + subject + sha256 + _values(tuple(name.encode() for name in certificate.alternative_names))


def _answer(answer: Answer, table: int) -> bytes:
    """Lay out vtable, table, and what that points to; the table is at position ``table``."""
    at = table + 48
    operation, answered_by, content = _string(answer.operation), _string(answer.answered_by), _string(answer.body)
    by_at = at + len(operation)
    content_at = by_at + len(answered_by)
    envelope_at = content_at + len(content)
    head = _ANSWER.pack(
        22, 48, 44, 8, 4, 16, 46, 24, (answer.answered_by and 12) or 0, (answer.operation and 40) or 0, 32,
        24, content_at - table - 4, envelope_at - table - 8, by_at - table - 12,
        answer.size, answer.microseconds, answer.request_size, at - table - 40, answer.status, answer.complete,
    )  # fmt: skip
    return b"".join((head, operation, answered_by, content, _envelope(answer.headers, envelope_at)))


def _envelope(headers: Headers, at: int) -> bytes:
    """Lay out a vector of headers and what it points to, beginning at position ``at``."""
    slots = at + 4
    here = slots + 4 * len(headers)
    offsets: list[int] = []
    parts: list[bytes] = []
    for name, values in headers:
        offsets.append(here - (slots + 4 * len(offsets)))
        label = _string(name)
        block = _values(values)
        # From the field to its target: the name stands right after the table, the values after the name.
        parts += (_ENVELOPE.pack(here - _ENVELOPE_VTABLE, 8, 4 + len(label)), label, block)
        here += 12 + len(label) + len(block)
    return b"".join((_U32.pack(len(offsets)), struct.pack(f"<{len(offsets)}I", *offsets), *parts))


def _values(values: tuple[bytes, ...]) -> bytes:
    if len(values) == 1:
        return _ONE.pack(1, 4, len(values[0])) + values[0] + _PAD[len(values[0]) % 4]
    texts = [_string(value) for value in values]
    offsets = []
    ahead = 4 * len(texts)
    for text in texts:
        offsets.append(ahead)
        ahead += len(text) - 4
    return b"".join((struct.pack(f"<{1 + len(texts)}I", len(texts), *offsets), *texts))


def _string(text: bytes) -> bytes:
    return _U32.pack(len(text)) + text + _PAD[len(text) % 4]
