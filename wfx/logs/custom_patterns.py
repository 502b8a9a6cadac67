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
_MARGIN = 512
"""Bytes that are looked at behind those that are shown."""
MOST_WORK = 2 * 1024 * 1024
"""Bytes times instructions in one text."""
_WORK_OF_FIRST_SEARCHES = MOST_WORK // 8 * 7
"""What all patterns need at most for a text in which they find nothing."""
_WORK_AT_ONCE = MOST_WORK // 4
"""What one search for all patterns together needs at most, beside :data:`MOST_WORK`."""
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
    expression: str
    """What others may stand behind."""


def read_patterns(texts: Sequence[str]) -> Sequence[CustomPattern]:
    """Read patterns of the form ``kind=expression``. Raises ValueError."""
    patterns = [_pattern(text) for text in texts]
    size = _size(patterns)
    if size > LARGEST_PATTERNS:
        raise ValueError(
            f"the patterns together have {size} instructions of RE2, and may have {LARGEST_PATTERNS}: "
            "shorten what is repeated, such as .{0,50}"
        )
    return patterns


def longest_shown(patterns: Sequence[CustomPattern]) -> int:
    """Return how many bytes of a text can be shown: the more, the smaller the patterns are."""
    return _WORK_OF_FIRST_SEARCHES // _size(patterns) - _MARGIN


def finds_nothing(patterns: Sequence[CustomPattern]) -> Callable[[bytes], bool]:
    """Return a function that tells of a short text that no pattern finds anything in it, by one search for all."""
    expression = "|".join(f"(?:{pattern.expression})" for pattern in patterns)
    search = compiled(expression, len(patterns) * _MEMORY, capturing=False).search
    longest = _WORK_AT_ONCE // _size(patterns)
    return lambda text: len(text) <= longest and search(text) is None


def spans(patterns: Sequence[CustomPattern], text: bytes, end: int) -> tuple[list[Span], int]:
    """Return what the patterns find, and up to where at most the text was looked at for all of it."""
    looked_at = text[: end + _MARGIN]
    spare = MOST_WORK - _size(patterns) * len(looked_at)
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


def _size(patterns: Sequence[CustomPattern]) -> int:
    """Return the instructions that all take together for each byte; at least 1."""
    return sum(pattern.size for pattern in patterns) or 1


def _pattern(text: str) -> CustomPattern:
    kind, equals, expression = text.partition("=")
    if not equals or not kind.replace("-", "").replace("_", "").isalnum() or not kind.isascii() or len(kind) > 32:
        raise ValueError(f'"{text}" is no pattern such as serial=SN-[0-9]{{6}}: a name, then =, then an expression')
    if len(expression) > LONGEST_PATTERN:
        raise ValueError(f"the pattern {kind} has more than {LONGEST_PATTERN} characters")
    if r"\C" in expression.replace(r"\\", ""):
        raise ValueError(f"the pattern {kind} has \\C, which is part of a character; use .")
    if any("\ud800" <= character <= "\udfff" for character in expression):
        raise ValueError(f"the pattern {kind} is no text in UTF-8")
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
    return CustomPattern(kind, size, pattern.search, _closed(expression))


def _closed(expression: str) -> str:
    r"""Return the expression with an end of what it quotes behind ``\Q``, so that others may stand behind it."""
    try:
        compiled(rf"{expression}\E", _MEMORY)
    except re2.error:  # an end of nothing
        return expression
    return rf"{expression}\E"
