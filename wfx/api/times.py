"""Moments and durations in query strings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wfx.commandline import durations

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 2**61
"""Microseconds; whatever is longer means the same."""
_ISO = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?"
)
_SECONDS = (604_800, 86_400, 3_600, 60, 1)


def moment(text: str) -> int:
    """Read a time of RFC 3339, in microseconds since 1970. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("is no time with its zone, such as 2026-07-01T12:00:00Z (write a + as %2B)")
    return (found - _EPOCH) // _MICROSECOND


def duration(text: str) -> int:
    """Read a duration of ISO 8601 up to weeks, or as Go writes it, in microseconds. Raises ValueError."""
    if (found := _ISO.fullmatch(text)) is not None:
        seconds = sum(float(part) * each for part, each in zip(found.groups(), _SECONDS, strict=True) if part)
    else:
        try:
            seconds = durations.parse(text) if text[-1:].isalpha() else -1  # a number alone may mean anything
        except ValueError:
            seconds = -1
    if seconds < 0:
        raise ValueError("is no duration such as P2D, PT30M, 1h30m or 45s")
    return round(min(seconds * 1e6, _LONGEST))
