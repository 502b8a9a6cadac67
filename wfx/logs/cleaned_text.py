"""Text of a record without what is secret in it."""

from __future__ import annotations

from typing import NamedTuple


class CleanedText(NamedTuple):
    """A text, or its beginning, without what is secret in it."""

    text: str
    length: int
    """How many characters of the original it stands for."""
    too_much: bool = False
    """Whether it ends where it does since too much looks secret."""
