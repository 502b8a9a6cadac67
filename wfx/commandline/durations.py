"""Parser of durations and ages.

They are written as Go does, ``300ms``, ``1.5s``, ``2h45m``, also in days, weeks and years of 365 days, ``30d``,
``1d12h``, ``2w``, ``1y``; or as ISO 8601 up to weeks: ``PT1M30S``, ``P30D``.
"""

from __future__ import annotations

import re
from math import isinf

from wfx.commandline import iso_durations

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SECONDS |= {"d": 86_400.0, "w": 604_800.0, "y": 365 * 86_400.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w|y)", re.ASCII)
_NUMBER = re.compile(r"\d+\.?\d*", re.ASCII)


def parse(text: str, what: str = "duration", examples: str = "5s or 1m30s") -> float:
    """Return seconds; only 0 needs no unit.

    Raises ValueError, which says what is invalid and gives the examples, for any other text and for what no number can
    hold.
    """
    if text.startswith("P") and (microseconds := iso_durations.parse(text)) is not None:
        return microseconds / 1e6
    sign, unsigned = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if unsigned == "0":
        return 0.0
    if not unsigned or _PART.sub("", unsigned):
        raise ValueError(f'invalid {what} "{text}": use a unit, for example {examples}')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(unsigned))
    if isinf(seconds):
        raise ValueError(f'invalid {what} "{text}": it is too long')
    return sign * seconds


def parse_seconds(text: str) -> float:
    """Return seconds, which need no unit. Raises ValueError as :func:`parse` does."""
    return parse(f"{text}s" if _NUMBER.fullmatch(text) else text)


def show(seconds: float) -> str:
    """Write a duration for people, rounded to milliseconds below a minute and to seconds above."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{rest}s"
