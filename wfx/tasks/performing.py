"""What performs a task, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from wfx.store.rule_records import Task

Perform = Callable[[Task], Awaitable[str]]
"""Does what a task is about, once, and returns what is told of it: ``answered 204``.

Raises TryAgain and CannotBeDone, and AddressNotAllowed.
"""


class TryAgain(Exception):
    """It did not succeed, and may later."""


class CannotBeDone(Exception):
    """It will never succeed as it is."""
