"""Masks: what logs show in place of something secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

WITHHELD = ("definition", "context")
"""Kinds of what is masked as a whole, beside those of patterns: members that everybody fills with what they like."""
MESSAGE = "message"
"""The same of messages of devices, where what they report is encrypted."""


@dataclass(frozen=True, slots=True)
class Mask:
    """What is shown in place of something secret."""

    character: str = "*"
    show_type: bool = True

    def of(self, kind: str) -> str:
        """Return the text for something of this kind: ``[REDACTED:email]``, or ``********``."""
        return f"[REDACTED:{kind}]" if self.show_type else self.character * 8

    def expression(self, kinds: Iterable[str]) -> str:
        """Return a regular expression for the masks of these kinds, and of those that are withheld."""
        return "|".join(sorted({re.escape(self.of(kind)) for kind in (*kinds, *WITHHELD, MESSAGE)}))
