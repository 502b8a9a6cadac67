"""Positions on the log: their text form, and whether they can be served."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wfx.domain.errors import BehindHorizon, NotOnThisLog
from wfx.store.protocol import LogBounds

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_LARGEST = 2**63 - 1
"""Positions are 64-bit signed integers to every store."""


def event_id(log_id: str, seq: int) -> str:
    """Name the position directly after an event: what its reader passes to go on from there."""
    return f"{log_id}-{seq}"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a reader wants to begin: after event ``seq``, or now."""

    seq: int | None
    """None stands for "now"; 0 without a log for the oldest event that is kept."""
    log_id: str | None = None
    """The log that the position belongs to, where the reader said so."""

    @property
    def at_oldest(self) -> bool:
        """Whether the reader wants all that is kept, however much was pruned already."""
        return self.seq == 0 and self.log_id is None

    def resolve(self, bounds: LogBounds) -> int:
        """Return the sequence number after which to read.

        Raises NotOnThisLog for a position ahead of the head or of another log, BehindHorizon when events after it were
        pruned.
        """
        if self.seq is None:
            return bounds.head
        if self.log_id not in (None, bounds.log_id) or self.seq > bounds.head:
            raise NotOnThisLog(bounds.head, bounds.log_id)
        if self.at_oldest:
            return bounds.oldest - 1
        if self.seq + 1 < bounds.oldest:
            raise BehindHorizon(bounds.oldest)
        return self.seq


NOW = Start(None)


def parse_since(text: str) -> Start | None:
    """Read ``now``, a sequence number, or an event id; None if it is none of these."""
    if text == "now":
        return NOW
    seq = _number(text)
    return parse_event_id(text) if seq is None else Start(seq)


def parse_event_id(text: str) -> Start | None:
    """Read what :func:`event_id` made; None for everything else."""
    log_id, _, number = text.rpartition("-")
    seq = _number(number)
    return Start(seq, log_id) if log_id and seq is not None else None


def _number(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if number <= _LARGEST else None
