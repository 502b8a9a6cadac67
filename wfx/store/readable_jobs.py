"""Opens the sealed rows of jobs: one with damaged values must not make the others fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from wfx.domain.errors import SealedValueUnreadable

_ID = 1
"""Where the row of a job has its id, in every store."""
Row = TypeVar("Row", bound=Sequence[Any])


def readable_jobs(
    rows: Sequence[Row], open_row: Callable[[Row], Row], size: int, *, alone: bool
) -> tuple[list[Row], dict[str, int]]:
    """Return the opened rows, and for those that are damaged the value of the column ``size`` by their ids.

    Raises SealedValueUnreadable instead for a job that is read ``alone``.
    """
    found, damaged = [], {}
    for row in rows:
        try:
            found.append(open_row(row))
        except SealedValueUnreadable:
            if alone:
                raise
            damaged[row[_ID]] = row[size]
    return found, damaged
