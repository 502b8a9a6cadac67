"""Figures of the script engine, as this process has counted them since its start."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from wfx.histogram import SECONDS, Histogram
from wfx.scripts.runs import Outcome, RunResult

_BOUNDS = (*SECONDS, 30)


def _seconds() -> Histogram:
    return Histogram(_BOUNDS)


@dataclass(slots=True)
class ScriptFigures:
    """Counts of runs, and of look-ups of compiled sources."""

    outcomes: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(Outcome, 0)))
    seconds: Histogram = field(default_factory=_seconds)
    """Time of runs in their workers."""
    waited: Histogram = field(default_factory=_seconds)
    """Time until a worker was free for a run, or the run was given up."""
    operations: int = 0
    hits: int = 0
    """Look-ups of a source that was compiled already."""
    misses: int = 0

    def note(self, result: RunResult, seconds: float | None) -> None:
        """Count a run, which was in a worker for so many seconds, if in any."""
        self.outcomes[result.outcome] += 1
        if seconds is not None:
            self.seconds.observe(seconds)
        self.waited.observe(result.waited)
        self.operations += result.operations


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """State of the pool at one moment."""

    size: int = 0
    """How many worker processes there are at most."""
    busy: int = 0
    """How many of them work."""
    waiting: int = 0
    """How many runs wait."""
    replaced: int = 0
    """How many worker processes have ended, in whose place others start."""
    compiled: int = 0
    """How many compiled sources are kept."""
