"""What came of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wfx_loadtest.facts import Fact
from wfx_loadtest.metrics import Metrics
from wfx_loadtest.settings import Settings
from wfx_loadtest.thresholds import Verdict, check


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    settings: Settings
    when: datetime
    metrics: Metrics
    facts: list[Fact]
    """What the scenario says beyond the figures of its requests."""
    interrupted: bool
    service: str = ""
    """The version that the service says it has, if it does."""

    @property
    def verdicts(self) -> list[Verdict]:
        """How the run did by its thresholds."""
        return check(self.settings.thresholds, self.metrics, self.facts)
