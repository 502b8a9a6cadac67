"""Colours of groups (cli section 10): the 256 of Plan 9, light ones first, neighbours far from each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

_LIGHT = 130**2
"""Square of the brightness above which text is black."""
_STRIDE = 60


class Color(NamedTuple):
    """A colour, and the one of text on it."""

    fill: str
    """Such as ``#00cc00``."""
    text: str
    """``black`` or ``white``."""


NO_GROUP = Color("#000000", "white")


def of_group(position: int) -> Color:
    """Return the colour of the group at a position in the workflow; after 256 they begin anew."""
    return _colors()[position % 256]


@cache
def _colors() -> list[Color]:
    light, dark = list[Color](), list[Color]()
    for red, green, blue in _plan9():
        bright = 0.299 * red**2 + 0.587 * green**2 + 0.114 * blue**2 > _LIGHT
        (light if bright else dark).append(Color(f"#{red:02x}{green:02x}{blue:02x}", "black" if bright else "white"))
    return [*_scattered(light), *_scattered(dark)]


def _scattered(colors: list[Color]) -> list[Color]:
    for place in range(len(colors)):
        other = _STRIDE * place % len(colors)
        colors[place], colors[other] = colors[other], colors[place]
    return colors


def _plan9() -> Iterator[tuple[int, int, int]]:
    found: dict[int, tuple[int, int, int]] = {}
    for red, value, green, blue in product(range(4), repeat=4):
        most = max(red, green, blue)
        place = 64 * red + 16 * value + (4 * green + blue + value - red) % 16
        if most:
            scale = 17 * (4 * most + value)
            found[place] = (red * scale // most, green * scale // most, blue * scale // most)
        else:
            found[place] = (17 * value, 17 * value, 17 * value)
    return (found[place] for place in sorted(found))
