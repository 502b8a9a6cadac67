"""What performs a task, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from wfx.domain.timestamp import Timestamp
from wfx.store.operations import JobOperation
from wfx.store.rule_records import RuleRecords, Task


class Ending(NamedTuple):
    """What is done in the store in the transaction that notes the end of a task."""

    operations: Sequence[JobOperation]
    records: RuleRecords
    tell: Callable[[Sequence[Any]], str]
    """Makes what is told of it, of the results of the operations. Raises CannotBeDone if they are not to be done."""
    note: Callable[[Sequence[Any]], None] = lambda _: None
    """Is given these results once it is written."""
    release: Callable[[], None] = lambda: None
    """Is called once it is written, or will not be: others may wait for that to decide."""
    run: Mapping[str, Any] | None = None
    """What is kept of the run that wants this."""


Perform = Callable[[Task], Awaitable[str | Ending]]
"""Does what a task is about, once, and returns what is told of it, ``answered 204``, or what is left to be done.

Raises TryAgain, NotYet and CannotBeDone, AddressNotAllowed, and StoreError, after which it is tried again.
"""


class NotYet(Exception):
    """It may not begin yet; this does not count as an attempt."""

    def __init__(self, due: Timestamp, reason: str) -> None:
        """Say when to try, and what it waits for."""
        super().__init__(reason)
        self.due = due


class _NotDone(Exception):
    run: Mapping[str, Any] | None = None
    """What is kept of the run that came to this."""


class TryAgain(_NotDone):
    """It did not succeed, and may later."""

    def __init__(self, reason: str, *, is_doubtful: bool = False) -> None:
        """Say why. What is doubtful may fail each time, and do harm by that: it is tried a few times only."""
        super().__init__(reason)
        self.is_doubtful = is_doubtful


class CannotBeDone(_NotDone):
    """It will never succeed as it is."""
