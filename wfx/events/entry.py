"""An event together with its bytes, which all readers share."""

from __future__ import annotations

from wfx.domain import wire
from wfx.domain.job import Event


class Entry:
    """An event of the log, encoded once for everybody."""

    __slots__ = ("event", "head", "seq")

    def __init__(self, event: Event) -> None:
        """Encode the part that does not depend on the reader."""
        self.event = event
        self.seq = event.seq
        self.head = wire.event_head(event)
