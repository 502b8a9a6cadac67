"""Timestamps: microseconds since 1970 in UTC, and RFC 3339 text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

Timestamp = NewType("Timestamp", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND = 1_000_000
"""Microseconds."""


@lru_cache(maxsize=4096)
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=16384)
def rfc3339(moment: Timestamp) -> str:
    """Format in UTC with up to six fractional digits, trailing zeros trimmed (rest-api section 4)."""
    seconds, micros = divmod(moment, SECOND)
    if not micros:
        return _whole_seconds(seconds) + "Z"
    return f"{_whole_seconds(seconds)}.{micros:06d}".rstrip("0") + "Z"


def rfc3339_millis(moment: Timestamp) -> str:
    """Format in UTC with exactly three fractional digits, as event times are (rest-api section 4)."""
    seconds, micros = divmod(moment, SECOND)
    return f"{_whole_seconds(seconds)}.{micros // 1000:03d}Z"
