"""Jobs of which some may not be readable, as their sealed values are damaged: the others must not fail for them."""

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
    """Open the rows of jobs; return those that can be, and the sizes of the others by id, from this column.

    Raises SealedValueUnreadable for one that is read ``alone``.
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
