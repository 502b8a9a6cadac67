"""Normalisation of JSON numbers to doubles (rest-api section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from math import copysign
from operator import is_
from typing import Any

from wfx.domain.json import Json, encode
from wfx.jq_language.numbers import text_of

_EXACT = 1 << 53
"""Integers up to here are doubles without loss."""
_PRINTABLE = range(-(1 << 63), 1 << 64)
"""Integers that the JSON codec can print."""
_EXPONENT = re.compile(rb"[0-9]e[-+]")
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|-?[0-9]+(?:\.[0-9]+)?(?:e[-+][0-9]+)?')
"""Strings and numbers of an encoded document."""


def encode_free_form(value: Any) -> Json:
    """Encode a value with each number as the double it is, spelled as Go's encoding/json does.

    Negative zero is the exception: it stays ``-0.0``, since many readers take ``-0`` for the integer 0.
    Recursive: nesting is to be bounded before. Raises OverflowError for an integer that no double can hold.
    """
    document = encode(normalise(value))
    return Json(_TOKENS.sub(_respelled, document)) if _EXPONENT.search(document) else document


def _respelled(token: re.Match[bytes]) -> bytes:
    text = token[0]
    return text if b"e" not in text or text.startswith(b'"') else text_of(float(text)).encode()


def normalise(value: Any) -> Any:
    """Return the value with every number as a double would show it (rest-api section 2); itself if it is so already.

    A whole number is an int as far as the codec can print it, ``-0.0`` keeps its sign. Nothing is changed in place.
    Raises OverflowError for an integer that no double can hold. Recursive: nesting is to be bounded before.
    """
    change = _NORMALISERS.get(type(value))
    return value if change is None else change(value)


def _object(members: dict[str, Any]) -> dict[str, Any]:
    changed = {
        key: new
        for key, old in members.items()
        if (change := _NORMALISERS.get(type(old))) and (new := change(old)) is not old
    }
    return members | changed if changed else members


def _array(items: list[Any]) -> list[Any]:
    new = [item if (change := _NORMALISERS.get(type(item))) is None else change(item) for item in items]
    return items if all(map(is_, items, new)) else new


def _integer(number: int) -> int | float:
    return number if -_EXACT <= number <= _EXACT else _real(float(number))


def _real(number: float) -> int | float:
    if not number.is_integer() or (number == 0 and copysign(1, number) < 0):
        return number
    if -_EXACT <= number <= _EXACT:
        return int(number)
    # The shortest digits that give this double again, filled up with zeros: what programs that print doubles show.
    whole = int(Decimal(repr(number)))
    return whole if whole in _PRINTABLE else number


_NORMALISERS: dict[type, Callable[[Any], Any]] = {dict: _object, list: _array, int: _integer, float: _real}
