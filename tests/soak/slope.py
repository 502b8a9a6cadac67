"""Whether a figure that was measured again and again keeps rising. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_SURE = 3.0
"""How many standard errors a slope must be above 0 to be no chance."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through samples."""

    per_second: float
    error: float
    """The standard error of ``per_second``."""
    seconds: float
    """How long the samples were taken."""

    def rises(self, tolerance: float) -> bool:
        """Tell whether the figure clearly rises, and by more than the tolerance while it was measured."""
        return self.per_second > _SURE * self.error and self.per_second * self.seconds > tolerance


def settled(samples: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Leave out the first half: caches fill in the beginning."""
    return samples[len(samples) // 2 :]


def slope_of(samples: Sequence[tuple[float, float]]) -> Slope:
    """Fit a line to (seconds, figure) by least squares; at least three samples at different times."""
    count = len(samples)
    mean_time = sum(time for time, _ in samples) / count
    mean = sum(figure for _, figure in samples) / count
    spread = sum((time - mean_time) ** 2 for time, _ in samples)
    slope = sum((time - mean_time) * (figure - mean) for time, figure in samples) / spread
    rest = sum((figure - mean - slope * (time - mean_time)) ** 2 for time, figure in samples)
    return Slope(slope, math.sqrt(rest / (count - 2) / spread), samples[-1][0] - samples[0][0])
