"""Lengths of time in whole nanoseconds, and how reports show them: in Go's notation, with up to all digits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_UNITS = ((SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs"))
_COARSE_TO_FINE = (HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, NANOSECOND)


def text(nanoseconds: int) -> str:
    """Write a duration with all its digits, as Go does: ``658.176µs``, ``5.989s``, ``1m0s``."""
    if nanoseconds < 0:
        return "-" + text(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit, name in ((MICROSECOND, "ns"), (MILLISECOND, "µs"), (SECOND, "ms")):
        if nanoseconds < unit:
            return _decimal(nanoseconds, unit // 1000) + name
    minutes, rest = divmod(nanoseconds, MINUTE)
    seconds = _decimal(rest, SECOND) + "s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def rounded(nanoseconds: int) -> str:
    """Write a duration rounded to the next finer unit: 3.4730219ms as ``3.473ms``, 61.4s as ``1m1s``."""
    for unit, finer in pairwise(_COARSE_TO_FINE):
        if nanoseconds >= unit:
            return text((nanoseconds + finer // 2) // finer * finer)
    return text(nanoseconds)


def in_one_unit(durations: Sequence[int]) -> tuple[str, ...]:
    """Write durations that stand beside each other in one unit, which suits the middle one, with four digits."""
    middle = sorted(durations)[len(durations) // 2] if durations else 0
    size, unit = next(((size, unit) for size, unit in _UNITS if middle >= size), _UNITS[-1])
    return tuple(f"{_four_digits(value / size)} {unit}" for value in durations)


def _four_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{float(f'{value:.4g}'):.9f}".rstrip("0").rstrip(".")


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    if not fraction:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{fraction:0{digits}d}".rstrip("0")
