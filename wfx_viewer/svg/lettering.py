"""Lettering: how wide texts are, by estimate, and how they are broken into lines."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

NAME_SIZE, TEXT_SIZE, LABEL_SIZE = 14.0, 11.0, 11.0
LINE = 1.3
"""Height of a line, in sizes of the letters."""
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]- "), frozenset("mwMW@%")
_BOLD = 1.1
_ELLIPSIS = "…"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a text without serifs; real fonts are hardly wider."""
    return sum(map(_advance, text)) * size * (_BOLD if bold else 1.0)


def _advance(letter: str) -> float:
    if letter in _NARROW:
        return 0.38
    if letter in _WIDE or east_asian_width(letter) in "WF":
        return 1.0
    if combining(letter):
        return 0.0
    return 0.72 if letter.isupper() else 0.62


def wrapped(text: str, most: float, size: float, lines: int) -> list[str]:
    """Break a text into at most so many lines of at most this width; what does not fit is left out."""
    broken = [""]
    for word in text.split():
        together = f"{broken[-1]} {word}" if broken[-1] else word
        if not broken[-1] or width(together, size) <= most:
            broken[-1] = shortened(together, most, size)
        elif len(broken) == lines:
            broken[-1] = shortened(f"{broken[-1]} {_ELLIPSIS}", most, size)
            break
        else:
            broken.append(shortened(word, most, size))
    return [line for line in broken if line]


def shortened(text: str, most: float, size: float, *, bold: bool = False) -> str:
    """Cut a text that is too wide."""
    room = most - width(_ELLIPSIS, size, bold=bold)
    fits, reached = 0, 0.0
    for number, letter in enumerate(text, 1):
        reached += width(letter, size, bold=bold)
        if reached <= room:
            fits = number
        elif reached > most:
            return text[:fits] + _ELLIPSIS
    return text
