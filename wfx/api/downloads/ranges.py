"""Range requests: which parts of a file are asked for (RFC 9110 section 14)."""

from __future__ import annotations

MOST_RANGES = 100
"""Ranges that one request may ask for."""
_MOST_DIGITS = 20

Range = tuple[int, int]
"""The first byte, and the one behind the last."""


class Unsatisfiable(Exception):
    """The ranges cannot be sent; the message says why."""


def parse(value: bytes, size: int) -> list[Range] | None:
    """Return the ranges that a header field asks for, in its order; None for all of the file. Raises Unsatisfiable.

    All of the file is also the answer to other units, and to ranges that overlap so much that they have more bytes
    than the file.
    """
    unit, equals, text = value.partition(b"=")
    if equals and unit.strip().lower() != b"bytes":
        return None
    if text.count(b",") >= MOST_RANGES:
        raise Unsatisfiable(f"more than {MOST_RANGES} ranges")
    asked = [_range(part, size) for part in text.split(b",") if part.strip(b" \t")]
    if not asked:
        raise Unsatisfiable("invalid range")
    found = [each for each in asked if each is not None]
    if size == 0 or sum(end - start for start, end in found) > size:
        return None
    if not found:
        raise Unsatisfiable("invalid range: failed to overlap")
    return found


def _range(part: bytes, size: int) -> Range | None:
    """Return one range; None if the file has no such bytes."""
    first, dash, last = (word.strip(b" \t") for word in part.partition(b"-"))
    if not dash or not (first + last).isdigit():
        raise Unsatisfiable("invalid range")
    if not first:
        length = min(_number(last), size)
        return (size - length, size) if length else None
    start = _number(first)
    if last and _number(last) < start:
        raise Unsatisfiable("invalid range")
    if start >= size:
        return None
    return start, min(_number(last) + 1, size) if last else size


def _number(digits: bytes) -> int:
    """Return the number; of one with very many digits, another that is larger than any file as well."""
    return int(digits.lstrip(b"0")[:_MOST_DIGITS] or b"0")
