"""Points in time as the API writes them."""

from __future__ import annotations

from datetime import datetime


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
