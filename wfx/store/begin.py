"""What is called right before something is done, and may raise a domain error to refuse it."""

from __future__ import annotations

from collections.abc import Callable

Begin = Callable[[], None]


def nothing() -> None:
    """Refuse nothing."""
