"""Points in time as the API writes them, and how long ago they were."""

from __future__ import annotations

import time
from datetime import datetime

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def moment(text: str) -> float | None:
    """Return seconds since 1970, or None for what is no time."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def local_time(text: str) -> str:
    """Show a time in this machine's time zone, to the second; what is no time comes back as it is."""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return text


def seconds_since(text: str) -> float | None:
    """Return how long ago a time was, by this machine's clock and not less than nothing; None for what is no time."""
    then = moment(text)
    return None if then is None else max(0.0, time.time() - then)


def age(text: str) -> str:
    """Show how long ago a time was; what is no time gives nothing."""
    seconds = seconds_since(text)
    return "" if seconds is None else span(seconds)


def span(seconds: float) -> str:
    """Show how long something takes, in one or two units: ``42s``, ``3m20s``, ``25m``, ``1d6h``, ``152d``."""
    whole = int(seconds)
    for number, (size, unit) in enumerate(_UNITS):
        count = whole // size
        if count and size > 1:
            smaller, smaller_unit = _UNITS[number + 1]
            rest = whole % size // smaller
            return f"{count}{unit}{rest}{smaller_unit}" if count < 10 and rest else f"{count}{unit}"
    return f"{whole}s" if seconds >= 10 or seconds == whole else f"{seconds:.1f}s"
