"""Positions in sources: line and column in characters, whatever is counted elsewhere."""

from __future__ import annotations

import re

from wfx.scripts.runs import SourcePosition

_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")


def position_in(source: str, where: list[int] | None) -> SourcePosition | None:
    """Return the position that the engine named, line and byte, if it is in the source."""
    if where is None:
        return None
    lines = _LINE_END.split(source)
    line, byte = where
    if not 1 <= line <= len(lines):
        return None
    before = lines[line - 1].encode(errors="surrogatepass")[: byte - 1]
    return SourcePosition(line, len(before.decode(errors="ignore")) + 1)


def position_behind(before: str) -> SourcePosition:
    """Return the position behind a text."""
    lines = _LINE_END.split(before)
    return SourcePosition(len(lines), len(lines[-1]) + 1)
