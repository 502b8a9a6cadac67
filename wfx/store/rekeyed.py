"""Outcome of bringing all values of a store into one form."""

from __future__ import annotations

from typing import NamedTuple


class Rekeyed(NamedTuple):
    """What was done, and what is left to be done by others."""

    place: str
    """The store."""
    values: int
    """How many values were written anew."""
    unreadable: int
    """How many could not be opened, and were left as they are."""
    remains: str
    """What of the former bytes may be left, and how to get rid of it; empty if nothing."""
