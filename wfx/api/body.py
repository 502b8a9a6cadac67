"""Request bodies: from bytes to a JSON value (rest-api section 2, "Body rules").

What callers usually send is decoded by orjson. What orjson refuses, or would not keep, is looked at again by slower
means, since the contract is more lenient: it ignores what follows the first value, replaces what is no text, and keeps
-0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from wfx.api.refusal import BadRequest

DEEPEST = 100
"""Levels of nesting that a body may have; what comes later (storing, hashing, filtering) relies on it."""

_MEDIA_TYPE = b"application/json"
_NEGATIVE_ZERO = re.compile(rb"-0(?![0-9.eE])")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSIGNED_64 = 2**64
_SIGNED_64 = 2**63


async def receive(receive: Receive) -> bytes:
    """Take in a whole body. Raises ClientDisconnect when the caller leaves before its end."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse(raw: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Any:
    """Decode a required JSON body; header names are in lower case, as ASGI has them.

    Whole numbers beyond 64 bit become doubles. Raises BadRequest, and nothing else, whatever the bytes are.
    """
    if not raw:
        raise BadRequest("the body is missing")
    _check_media_type(next((value for name, value in headers if name == b"content-type"), b""))
    value = _decode(raw)
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _is_too_deep(value):
        raise BadRequest(f"the body is nested more than {DEEPEST} levels deep")
    return value


def _check_media_type(given: bytes) -> None:
    if given != _MEDIA_TYPE and given.partition(b";")[0].rstrip() != _MEDIA_TYPE:
        shown = given.decode("latin-1") or "missing"
        raise BadRequest(f"header Content-Type is {shown}; it must be application/json")


def _decode(raw: bytes) -> Any:
    if b"-0" in raw and _NEGATIVE_ZERO.search(raw):
        return _decode_leniently(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _decode_leniently(raw)


def _decode_leniently(raw: bytes) -> Any:
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        value, _ = _LENIENT.raw_decode(text)
    except RecursionError as exc:
        raise BadRequest(f"the body is nested more than {DEEPEST} levels deep") from exc
    except ValueError as exc:
        raise BadRequest(f"the body is not JSON: {exc}") from exc
    if _SURROGATE_ESCAPE.search(text) and not _is_too_deep(value):
        return _without_surrogates(value)
    return value


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


def _children(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _is_too_deep(value: Any) -> bool:
    """Go down level by level, so that no depth exhausts the stack."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        level = [child for container in level for child in _children(container) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _without_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no encoder takes, by U+FFFD; for values of at most DEEPEST levels."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(item) for key, item in value.items()}
    return value
