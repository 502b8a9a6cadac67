"""Log of actions that were not taken: so many records a second and no more, since whoever tells events causes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic

MOST_A_SECOND = 50
"""Records of one second; the others are counted in one."""
_logger = logging.getLogger("wfx")


class FailureLog:
    """Writes warnings."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Begin with the next one."""
        self._clock = clock
        self._second = 0
        self._written = 0
        """In this second."""
        self._left_out = 0
        """Since the last record that told how many."""

    def note(self, fields: Mapping[str, object]) -> None:
        """Log an action that was not taken, or count it."""
        if (second := int(self._clock())) != self._second:
            self._second, self._written = second, 0
        if self._written >= MOST_A_SECOND:
            self._left_out += 1
            return
        if self._left_out:
            _logger.warning("more actions of rules were not taken", extra={"fields": {"count": self._left_out}})
            self._left_out = 0
        self._written += 1
        _logger.warning("an action of a rule was not taken", extra={"fields": fields})
