"""Finds characters of a YAML scalar in the file: where in the file the n-th character of a text is."""

from __future__ import annotations

import re

from wfx.rules.faults import Mark
from wfx.rules.yaml_document import Scalar

_ESCAPE = re.compile(r"\\(?:x..|u....|U........|.)", re.DOTALL)


def place_in(scalar: Scalar, offset: int, text: str) -> Mark:
    """Return the place of a character of the scalar, or where the scalar begins if that cannot be told simply."""
    match scalar.style:
        case "|":
            return _in_block(scalar, offset, text)
        case ">":
            return scalar.mark
        case '"' | "'":
            width = _quoted_width(scalar, offset, text)
        case _:
            width = offset
    passed = text[scalar.index : scalar.index + width]
    if "\n" in passed:  # lines of such a scalar are joined
        return scalar.mark
    return Mark(scalar.mark.line, scalar.mark.column + width)


def _quoted_width(scalar: Scalar, offset: int, text: str) -> int:
    """Return how many characters of the file come before one of a quoted scalar."""
    place = scalar.index + 1
    for _ in range(offset):
        if scalar.style == "'":
            place += 2 if text.startswith("''", place) else 1
        else:
            escape = _ESCAPE.match(text, place)
            place = escape.end() if escape else place + 1
    return place - scalar.index


def _in_block(scalar: Scalar, offset: int, text: str) -> Mark:
    before = str(scalar.value)[:offset]
    number = before.count("\n")
    lines = text[scalar.index :].split("\n", number + 2)
    first = next((line for line in text[scalar.index :].split("\n")[1:20] if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    if number + 1 >= len(lines):
        return scalar.mark
    return Mark(scalar.mark.line + 1 + number, indent + len(before) - (before.rfind("\n") + 1) + 1)
