"""Custom patterns: what else the operator wants hidden, searched for in a bounded amount of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import re2

from wfx.logs.expressions import compiled

LONGEST_PATTERN = 512
"""Characters that a pattern may have."""
LARGEST_PATTERN = 128
"""Instructions of RE2 that a pattern may have."""
LARGEST_PATTERNS = 384
"""Instructions of RE2 that all patterns together may have."""
LONGEST_SHOWN = 4096
"""Bytes that are shown of a text where there are custom patterns."""
_MARGIN = 512
"""Bytes behind these that are looked at."""
MOST_WORK = 2 * 1024 * 1024
"""Bytes times instructions in one text; more than all patterns need for the longest text in which they find nothing."""
_MEMORY = 64 * 1024
"""Bytes that RE2 may take for a pattern: it gives up early on one that has too many states."""
_PROBE = "a b\n1-_"
"""A text with all that an assertion may ask for."""


class Span(NamedTuple):
    """Where in a text something secret is."""

    start: int
    end: int
    kind: str


class CustomPattern(NamedTuple):
    """A pattern of the operator's."""

    kind: str
    size: int
    """Instructions that it takes at most for each byte."""
    search: Callable[[bytes, int], re2._Match | None]


def custom(texts: Sequence[str]) -> Sequence[CustomPattern]:
    """Read patterns of the form ``kind=expression``. Raises ValueError."""
    patterns = [_custom(text) for text in texts]
    size = sum(pattern.size for pattern in patterns)
    if size > LARGEST_PATTERNS:
        raise ValueError(
            f"the patterns together have {size} instructions of RE2, and may have {LARGEST_PATTERNS}: "
            "shorten what is repeated, such as .{0,50}"
        )
    return patterns


def spans(patterns: Sequence[CustomPattern], text: bytes, end: int) -> tuple[list[Span], int]:
    """Return what the patterns find, and up to where at most the text was looked at for all of it."""
    looked_at = text[: end + _MARGIN]
    spare = MOST_WORK - sum(pattern.size for pattern in patterns) * len(looked_at)
    """What is left for searches behind the first one of each pattern."""
    found: list[Span] = []
    for pattern in patterns:
        place = 0
        while (match := pattern.search(looked_at, place)) is not None:
            start, stop = match.span()
            if start >= end:
                break
            found.append(Span(start, stop, pattern.kind))
            place = max(stop, start + 1)
            spare -= pattern.size * (len(looked_at) - place)
            if spare < 0:
                end = min(end, place)
                break
    return [span for span in found if span.start < min(span.end, end)], end


def _custom(text: str) -> CustomPattern:
    kind, equals, expression = text.partition("=")
    if not equals or not kind.replace("-", "").replace("_", "").isalnum() or not kind.isascii() or len(kind) > 32:
        raise ValueError(f'"{text}" is no pattern such as serial=SN-[0-9]{{6}}: a name, then =, then an expression')
    if len(expression) > LONGEST_PATTERN:
        raise ValueError(f"the pattern {kind} has more than {LONGEST_PATTERN} characters")
    if r"\C" in expression.replace(r"\\", ""):
        raise ValueError(f"the pattern {kind} has \\C, which is part of a character; use .")
    try:
        named = compiled(expression, _MEMORY).groupindex
        pattern = compiled(expression, _MEMORY, capturing=False)
    except re2.error as exc:
        reason = exc.args[0].decode("utf-8", "replace") if exc.args and isinstance(exc.args[0], bytes) else exc
        raise ValueError(f"the expression of pattern {kind} cannot be used: {reason} (syntax of RE2)") from exc
    if named:
        raise ValueError(f"the pattern {kind} has a named group; use (?:…)")
    if any(not match.group() for probe in ("", _PROBE) for match in pattern.finditer(probe)):
        raise ValueError(f"the pattern {kind} matches the empty text")
    size: int = pattern.programsize
    if size > LARGEST_PATTERN:
        raise ValueError(
            f"the pattern {kind} has {size} instructions of RE2, and may have {LARGEST_PATTERN}: "
            "shorten what is repeated, such as .{0,50}"
        )
    return CustomPattern(kind, size, pattern.search)
