"""Places in sources: line and column in characters, whatever is counted elsewhere."""

from __future__ import annotations

import re

from wfx.scripts.runs import Place

_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")


def place_in(source: str, where: list[int] | None) -> Place | None:
    """Return a place that the engine named, line and byte, if it is in the source."""
    if where is None:
        return None
    lines = _LINE_END.split(source)
    line, byte = where
    if not 1 <= line <= len(lines):
        return None
    before = lines[line - 1].encode(errors="surrogatepass")[: byte - 1]
    return Place(line, len(before.decode(errors="ignore")) + 1)


def place_behind(before: str) -> Place:
    """Return the place behind a text."""
    lines = _LINE_END.split(before)
    return Place(len(lines), len(lines[-1]) + 1)
