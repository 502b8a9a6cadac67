"""Masks: what logs show in place of something secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mask:
    """What is shown in place of something secret."""

    character: str = "*"
    show_type: bool = True

    def of(self, kind: str) -> str:
        """Return the text for something of this kind: ``[REDACTED:email]``, or ``********``."""
        return f"[REDACTED:{kind}]" if self.show_type else self.character * 8
