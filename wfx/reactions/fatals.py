"""Fatal errors: what stops the work on events for a while. They are counted, and told to the rules once a minute."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from wfx.reactions.event_of_log import SOURCE
from wfx.rules.event import FATAL, Event

PAUSE = 60.0
"""Seconds between two such events at least."""


class Fatals:
    """Those of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self.count = 0
        """How many there were."""
        self._clock = clock
        self._untold = 0
        self._last = ""
        self._told_at: float | None = None

    def note(self, reason: str) -> None:
        """Count one."""
        self.count += 1
        self._untold += 1
        self._last = reason

    def due(self) -> Event | None:
        """Return the event that tells of those that were not told of, if it is time for one."""
        if not self._untold or (self._told_at is not None and self._clock() - self._told_at < PAUSE):
            return None
        return Event(FATAL, str(uuid.uuid4()), SOURCE, payload={"error": self._last, "count": self._untold})

    def told(self, event: Event) -> None:
        """Take note that what comes of an event is stored."""
        self._untold -= event.payload["count"]
        self._told_at = self._clock()
