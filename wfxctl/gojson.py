"""JSON as Go's encoding/json reads and writes it, so that scripts see the same bytes (cli section 5).

Numbers are IEEE doubles, keys come out sorted, and what could end a script element or a line is escaped.
"""

from __future__ import annotations

import json
import math
from json.encoder import encode_basestring
from typing import Any

from wfx.jq_language.numbers import text_of

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


class RepeatedKey(ValueError):
    """An object has a key twice."""


def decode(text: str | bytes, *, unique: bool = False) -> Any:
    """Decode one document; numbers become floats. Raises ValueError saying what is wrong.

    Of a key that is given twice the last one counts; if they must be ``unique``, that is a RepeatedKey.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    pairs = _unique if unique else None
    try:
        return json.loads(
            text, parse_int=_double, parse_float=_double, parse_constant=_constant, object_pairs_hook=pairs
        )
    except RecursionError as exc:
        raise ValueError("the document is nested too deeply") from exc


def encode(value: Any) -> str:
    """Encode compactly. Raises ValueError for values that JSON has no words for."""
    return _Encoder("", "", ":").encode(value)


def encode_indented(value: Any) -> str:
    """Encode with two blanks a level. Raises ValueError for values that JSON has no words for."""
    return _Encoder("\n", "  ", ": ").encode(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKey(f'key "{next(key for key in keys if keys.count(key) > 1)[:100]}" is given twice')
    return members


def _double(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"number {literal[:32]} is out of range")
    return value


def _constant(literal: str) -> float:
    raise ValueError(f"{literal} is not valid JSON")


class _Encoder:
    def __init__(self, newline: str, indent: str, colon: str) -> None:
        self._newline, self._indent, self._colon = newline, indent, colon

    def encode(self, value: Any) -> str:
        parts: list[str] = []
        try:
            self._append(value, self._newline, parts)
        except RecursionError as exc:
            raise ValueError("the document is nested too deeply") from exc
        return "".join(parts)

    def _append(self, value: Any, line: str, parts: list[str]) -> None:
        if isinstance(value, dict) and value:
            opening, deeper = "{", line + self._indent
            for key in sorted(value):
                parts += opening, deeper, _string(key), self._colon
                self._append(value[key], deeper, parts)
                opening = ","
            parts += line, "}"
        elif isinstance(value, list) and value:
            opening, deeper = "[", line + self._indent
            for item in value:
                parts += opening, deeper
                self._append(item, deeper, parts)
                opening = ","
            parts += line, "]"
        else:
            parts.append(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(float(value))
    return "{}" if isinstance(value, dict) else "[]"


def _string(value: str) -> str:
    if not value.isascii():  # lone surrogates become U+FFFD
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return encode_basestring(value).translate(_ESCAPES)


def _number(value: float) -> str:
    try:
        if not math.isnan(value):
            return text_of(value)
    except OverflowError:
        pass
    raise ValueError(f"json: unsupported value: {value}")
