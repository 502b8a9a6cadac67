"""Clock that stands still until the test sets it."""

from __future__ import annotations


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        """Begin at some moment."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now
