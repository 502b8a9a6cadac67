"""Durations of ISO 8601 up to weeks, such as ``PT1H30M`` and ``P0.5D``; years and months have no fixed length."""

from __future__ import annotations

import re

MILLISECOND = 1000
"""Microseconds."""
LONGEST = 2**61
"""Microseconds; whatever is longer means the same."""
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?)"
_DURATION = re.compile(
    rf"P(?=[0-9T])(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_UNITS = tuple(seconds * 1_000_000 for seconds in (604_800, 86_400, 3600, 60, 1))
"""Microseconds of what a duration has numbers of."""
_DIGITS = 18
"""Of a number, and of its fraction; more of them make no difference."""


def parse(text: str) -> int | None:
    """Return microseconds, rounded; None if it is no duration. Only its last number may have a fraction."""
    found = _DURATION.fullmatch(text)
    numbers = [] if found is None else [each for each in zip(found.groups(), _UNITS, strict=True) if each[0]]
    if not numbers or not all(number.isdecimal() for number, _ in numbers[:-1]):
        return None
    return min(sum(_times(number, unit) for number, unit in numbers), LONGEST)


def show(microseconds: int) -> str:
    """Write a duration of whole milliseconds, without weeks."""
    text, time = "P", ""
    for unit, letter in zip(_UNITS[1:], "DHMS", strict=True):
        number, microseconds = divmod(microseconds, unit)
        thousandths = microseconds // MILLISECOND if letter == "S" else 0
        shown = f"{number}.{thousandths:03}".rstrip("0") if thousandths else str(number or "")
        if shown and letter == "D":
            text += f"{shown}D"
        elif shown:
            time += shown + letter
    return f"{text}T{time}" if time else text


def _times(number: str, unit: int) -> int:
    whole, _, fraction = number.replace(",", ".").partition(".")
    whole, fraction = whole.lstrip("0"), fraction[:_DIGITS]
    if len(whole) > _DIGITS:
        return LONGEST
    parts: int = 10 ** len(fraction)
    return int(whole or 0) * unit + (int(fraction or 0) * unit + parts // 2) // parts
