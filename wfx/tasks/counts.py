"""Counts of tasks that this process has worked on."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from wfx.histogram import SECONDS, Histogram

_BOUNDS = (*SECONDS, 15, 30)


def _seconds() -> Histogram:
    return Histogram(_BOUNDS)


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """All by kind of task."""

    attempts: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    """Tasks that are not tried any more."""
    seconds: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(_seconds))
    """How long attempts took."""

    steps_running: Counter[str] = field(default_factory=Counter)
    """Threads that steps of installed packages run in, by step, those that hang among them."""
    steps_hanging: Counter[str] = field(default_factory=Counter)
    """Those that have not ended in their time."""

    def show(self, kind: str) -> None:
        """Have a kind counted from now on, also while nothing comes of it."""
        for each in (self.attempts, self.done, self.failed):
            each[kind] += 0
        _ = self.seconds[kind]
