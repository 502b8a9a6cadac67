"""Plan of retries: how long a task waits after each attempt that did not succeed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

DELAYS = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds: those that Standard Webhooks proposes, from five seconds to a day; three days and three hours in all."""
_JITTER = 0.1
"""Part of a delay by which it is longer or shorter, so that what failed together does not come together again."""


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often and when a task is tried again."""

    delays: Sequence[float] = DELAYS
    random: Callable[[float, float], float] = random.uniform

    def delay(self, failures: int) -> float | None:
        """Return the seconds to wait after so many attempts that failed; None if there is to be no other."""
        if failures > len(self.delays):
            return None
        return self.delays[failures - 1] * self.random(1 - _JITTER, 1 + _JITTER)
