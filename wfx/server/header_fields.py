"""Header fields of a request: framing of its body, and lifetime of its connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wfx.server import edge_errors
from wfx.server.edge_errors import Refusal
from wfx.server.request_line import valid_host

Field = tuple[bytes, bytes]
"""Name in lower case, and value."""

_RELEVANT = frozenset({b"host", b"expect", b"connection", b"transfer-encoding", b"content-length"})
_MAX_DIGITS = 18
"""Digits that a length may have; no body is that long."""


class Fields(NamedTuple):
    """The fields of a request, and what the reader has to know of them."""

    all: tuple[Field, ...]
    length: int
    """Bytes of the body, where it is not chunked."""
    chunked: bool
    stays: bool
    """Whether the client wants to keep the connection after this request."""
    expects_continue: bool
    """Whether the client waits for ``100 Continue`` before it sends the body."""


def check_fields(fields: Iterable[Field], version: str) -> Fields | Refusal:
    """Check the fields on which the reading of a request depends (RFC 9112 sections 3.2 and 6)."""
    fields = tuple(fields)
    expects, stays = False, version == "1.1"
    host = framing = None
    for field in fields:
        name, value = field
        if name not in _RELEVANT:
            continue
        if name == b"host":
            if host is not None:
                return edge_errors.MANY_HOSTS
            host = value
        elif name == b"connection":
            stays = stays and (value == b"keep-alive" or not _closes(value))
        elif name == b"expect":
            expects = value.lower() == b"100-continue" and version == "1.1"
        elif framing is not None:
            return edge_errors.MALFORMED
        else:
            framing = field
    body = _check_framing(framing, version)
    if isinstance(body, Refusal):
        return body
    if (reason := _check_host(host, version)) is not None:
        return reason
    length, chunked = body
    return Fields(fields, length, chunked, stays, expects and (chunked or length > 0))


def _check_host(host: bytes | None, version: str) -> Refusal | None:
    if host is None:
        return edge_errors.NO_HOST if version == "1.1" else None
    return None if valid_host(host) else edge_errors.BAD_HOST


def _check_framing(framing: Field | None, version: str) -> tuple[int, bool] | Refusal:
    """Return the length of the body, and whether it is chunked."""
    if framing is None:
        return 0, False
    name, value = framing
    if name == b"content-length":
        return (int(value), False) if value.isdigit() and len(value) <= _MAX_DIGITS else edge_errors.MALFORMED
    return (0, True) if value.lower() == b"chunked" and version == "1.1" else edge_errors.BAD_CODING


def _closes(connection: bytes) -> bool:
    return b"close" in map(bytes.strip, connection.lower().split(b","))
