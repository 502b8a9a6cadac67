"""Moments and durations in query strings."""

from __future__ import annotations

import re
from datetime import date

from wfx.commandline import durations, iso_durations

_EPOCH = date(1970, 1, 1).toordinal()
# A space before the offset is a + that was not escaped: query strings write spaces so.
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([-+ ])([0-9]{2}):([0-9]{2}))"
)


def moment(text: str) -> int:
    """Read a time of RFC 3339, in microseconds since 1970, a part of one counting as one. Raises ValueError.

    A leap second is the first second of the day that follows it.
    """
    try:
        return _moment(text)
    except ValueError as exc:
        raise ValueError("is no time of RFC 3339 with its zone, such as 2026-07-01T12:00:00Z") from exc


def _moment(text: str) -> int:
    if (found := _MOMENT.fullmatch(text)) is None:
        raise ValueError
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    ahead = int(found[9] or 0) * 60 + int(found[10] or 0)  # minutes
    if hour > 23 or minute > 59 or second > 60 or int(found[9] or 0) > 23 or int(found[10] or 0) > 59:
        raise ValueError
    minutes = (date(year, month, day).toordinal() - _EPOCH) * 1440 + hour * 60 + minute
    minutes += ahead if found[8] == "-" else -ahead
    if second == 60 and minutes % 1440 != 1439:
        raise ValueError
    fraction = (found[7] or "").ljust(6, "0")
    part = int(fraction[:6]) + bool(fraction[6:].strip("0"))
    return (minutes * 60 + second) * 1_000_000 + part


def duration(text: str) -> int:
    """Read a duration as :mod:`wfx.commandline.durations` has it, in microseconds. Raises ValueError."""
    found = iso_durations.parse(text) if text.startswith("P") else _with_units(text)
    if found is None:
        raise ValueError("is not a duration such as 2d, 45m, 1h30m, P2D or PT30M")
    return found


def _with_units(text: str) -> int | None:
    try:
        seconds = durations.parse(text) if text[-1:].isalpha() else -1  # a number alone may mean anything
    except ValueError:
        return None
    return None if seconds < 0 else round(min(seconds * 1e6, iso_durations.LONGEST))
