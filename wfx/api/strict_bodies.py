"""Strict check of bodies: rejects repeated members, bytes that are not UTF-8, and text after the end of the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wfx.api.bad_request import BadRequest, BodyFault, BodyInvalid
from wfx.api.schema_checks import pointer_to

_SPACE = " \t\r\n"


class _Repeated(Exception):
    """An object has a member twice."""


def require_strict(raw: bytes) -> None:
    """Reject what the decoder ignores in a body that it can decode.

    Raises BodyInvalid, which names each member that an object has twice, and BadRequest for a body that is not UTF-8 or
    has text after its value.
    """
    text = _text(raw)
    try:
        _, end = _LOOKING.raw_decode(text)
    except _Repeated:
        raise BodyInvalid(_faults((), _KEEPING.raw_decode(text)[0])) from None
    if text[end:].strip(_SPACE):
        raise BadRequest("the body has text after the end of its JSON")


def _text(raw: bytes) -> str:
    try:
        return raw.decode().lstrip(_SPACE)
    except UnicodeDecodeError as exc:
        raise BadRequest(f"the body is not UTF-8: byte {exc.start + 1} is {raw[exc.start]:#04x}") from exc


def _look(members: list[tuple[str, Any]]) -> None:
    """Take an object for nothing, once it was seen that it has no member twice."""
    if len({name for name, _ in members}) < len(members):
        raise _Repeated


def _faults(place: tuple[str | int, ...], value: Any) -> Iterator[BodyFault]:
    """Yield what is wrong with a value, in which objects are tuples of their members."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _faults((*place, number), item)
    elif isinstance(value, tuple):
        seen: dict[str, int] = {}
        for name, inner in value:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] == 2:
                yield BodyFault(pointer_to((*place, name)), f"member '{name}' is given more than once")
            yield from _faults((*place, name), inner)


# Numbers are passed over: len() takes a text of any length, and says no more about it.
_LOOKING = json.JSONDecoder(object_pairs_hook=_look, parse_int=len, parse_float=len)
_KEEPING = json.JSONDecoder(object_pairs_hook=tuple, parse_int=len, parse_float=len)
