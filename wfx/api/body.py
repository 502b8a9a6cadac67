"""Request bodies: receives them up to a limit, and decodes them to JSON values (rest-api section 2).

What callers usually send is decoded by orjson. What orjson refuses, or would not keep, is looked at again by slower
means, since the contract is more lenient: it ignores what follows the first value, replaces what is no text, and keeps
-0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from wfx.api.bad_request import BadRequest, BodyTooLarge, CompressedBody
from wfx.domain.definition import DEEPEST, depth_within

MEDIUM = 128 * 1024
"""Bytes that a light body may have at most."""
_SMALL = 2 * 1024
"""Bytes up to which a body is light whatever it contains."""
_MARKS = b",[{<>&\\\xe2"
"""Bytes that come with each value, or with each character that is escaped in the stored form."""
_FEW = 1024
"""How many of these a light body may have."""

_MEDIA_TYPE = b"application/json"
_PLAIN = (b"identity", b"")
"""Codings that leave a body as it is."""
_NEGATIVE_ZERO = re.compile(rb"-0(?![0-9.eE])")
_NO_PROGRESS = re.compile(rb'"progress"[ \t\r\n]*:[ \t\r\n]*-0(?![0-9.eE])')
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HOPELESS = (
    "unexpected end of data",
    "unexpected character",
    "unexpected control character in string",
    "invalid literal",
    "trailing comma is not allowed",
    "invalid escaped sequence in string",
    "number is infinity when parsed as double",
    "UTF-8 byte order mark (BOM) is not supported",
)
"""Messages of orjson about bodies that the lenient decoder, ten times as slow, would refuse as well."""
_NUMBER_GOES_ON = (".", "e", "E")
"""What may not follow a number at the end of a body; the decoder takes it for the beginning of something else."""
_UNSIGNED_64 = 2**64
_SIGNED_64 = 2**63


def is_light(raw: bytes) -> bool:
    """Tell whether a body is read in a millisecond or two, whatever is done with it: it has few values and escapes."""
    size = len(raw)
    return size <= _SMALL or (size <= MEDIUM and size - len(raw.translate(None, _MARKS)) <= _FEW)


def decode(raw: bytes) -> Any:
    """Decode JSON, with the contract's leniency, of at most ``DEEPEST`` levels. Raises BadRequest, and nothing else."""
    value = _decode(raw)
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and not depth_within(value, DEEPEST):
        raise _too_deep()
    return value


def check(raw: bytes, is_valid: Callable[[Any], bool]) -> tuple[Any, bool]:
    """Decode a body and tell whether it is valid. Raises BadRequest where it is no JSON."""
    value = decode(raw)
    good = is_valid(value)
    if not good and _has_negative_zero_progress(raw, value):
        value["progress"] = 0
        good = is_valid(value)
    return value, good


def _has_negative_zero_progress(raw: bytes, value: Any) -> bool:
    """Tell whether the progress is the literal -0: a whole number, though decoded as a double to keep its sign."""
    return isinstance(value, dict) and value.get("progress") == 0.0 and bool(_NO_PROGRESS.search(raw))


def decode_text(raw: bytes, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return a body that is text, whatever it is labelled as. Raises BadRequest unless it is UTF-8."""
    if any(name == b"content-encoding" and value.strip().lower() not in _PLAIN for name, value in headers):
        raise CompressedBody
    if not raw:
        raise BadRequest("the body is missing")
    if (nul := raw.find(0)) >= 0:
        raise BadRequest(f"the body has the character U+0000, as byte {nul + 1}")
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise BadRequest(f"the body is not UTF-8: byte {exc.start + 1} is {raw[exc.start]:#04x}") from exc


def check_kind(size: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a body of so many bytes by how it is labelled; of a header that is given twice the first one counts."""
    if not size:
        raise BadRequest("the body is missing")
    media_type = None
    for name, value in headers:
        if name == b"content-type" and media_type is None:
            media_type = value
        elif name == b"content-encoding" and value.strip().lower() not in _PLAIN:
            raise CompressedBody
    if media_type is None:
        raise BadRequest("header Content-Type is missing; it must be application/json")
    if media_type != _MEDIA_TYPE and media_type.partition(b";")[0].rstrip() != _MEDIA_TYPE:
        raise BadRequest(f"header Content-Type is '{media_type.decode('latin-1')}'; it must be application/json")


def _decode(raw: bytes) -> Any:
    if b"-" in raw and _NEGATIVE_ZERO.search(raw):
        return _decode_leniently(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        if exc.msg.startswith(_HOPELESS):
            raise BadRequest(f"the body is not JSON: {exc}") from exc
        return _decode_leniently(raw)


def _decode_leniently(raw: bytes) -> Any:
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        value, end = _LENIENT.raw_decode(text)
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise BadRequest(f"the body is not JSON: {exc}") from exc
    if text[end : end + 1] in _NUMBER_GOES_ON and text[end - 1].isdigit():
        raise BadRequest(f"the body is not JSON: a number ends in '{text[end]}'")
    if not _SURROGATE_ESCAPE.search(text):
        return value
    if not depth_within(value, DEEPEST):
        raise _too_deep()
    return _without_surrogates(value)


def _too_deep() -> BadRequest:
    return BadRequest(f"the body is nested more than {DEEPEST} levels deep")


def _integer(digits: str) -> int | float:
    if len(digits) > 20:
        return _double(digits)
    value = int(digits)
    if digits == "-0" or not -_SIGNED_64 <= value < _UNSIGNED_64:
        return _double(digits)
    return value


def _double(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"number {digits[:20]}… is beyond the range of a double")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_LENIENT = json.JSONDecoder(parse_int=_integer, parse_float=_double, parse_constant=_refuse_constant)


def _without_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no encoder takes, by U+FFFD; for values of at most DEEPEST levels."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(item) for key, item in value.items()}
    return value


_PIECE = 64 * 1024
"""Least bytes of a piece, the last one apart: a body may come byte by byte, and each piece costs memory."""
_LONGEST_NUMBER = 20
"""Digits of a length that are looked at: more than any body needs, fewer than Python refuses to read."""


async def take_body(receive: Receive, declared: bytes, limit: int) -> list[bytes]:
    """Read the whole body, in pieces, of which ``Content-Length`` declares this length, if any.

    Raises BodyTooLarge as soon as it is known, ClientDisconnect when the caller leaves.
    """
    if declared.isdigit() and int(declared[:_LONGEST_NUMBER]) > limit:
        raise BodyTooLarge(limit)
    piece, more = _piece_of(await receive())
    if not more and len(piece) <= limit:
        return [piece]
    pieces: list[bytes] = []
    small, taken = bytearray(), 0
    while True:
        taken += len(piece)
        if taken > limit:
            raise BodyTooLarge(limit)
        if len(piece) >= _PIECE and not small:
            pieces.append(piece)
        else:
            small += piece
        if len(small) >= _PIECE or (small and not more):
            pieces.append(bytes(small))
            small.clear()
        if not more:
            return pieces
        piece, more = _piece_of(await receive())


def _piece_of(message: Message) -> tuple[bytes, bool]:
    """Return the piece in a message, and whether there will be more."""
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)
