"""Job whose reports are counted, for several operations on it that are planned together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from wfx.domain.errors import TooManyRepetitions
from wfx.domain.job import Change, Job
from wfx.limits.repetitions import is_new
from wfx.store.protocol import DecideChange


class CountedJob:
    """Counts what a job has entered or reported, from a version on; each decision sees those before it."""

    def __init__(self, version: int, counts: Counter[str], most: int, refused: Callable[[], None]) -> None:
        """Begin with the counts of a version; ``refused`` is told of each change that is one too many."""
        self._first = version
        self._counts = {version: counts}
        self._most = most
        self._refused = refused

    def counted(self, decide: DecideChange) -> DecideChange:
        """Return a decision that raises TooManyRepetitions if its change is one too many."""
        return partial(self._decide, decide)

    def _decide(self, decide: DecideChange, job: Job) -> Change:
        change = decide(job)
        counts = self._counts.get(job.version)
        if counts is None:  # others have changed it since: each of these changes may have been a report
            counts = self._counts[self._first] + Counter({change.state: job.version - self._first})
        if is_new(job, change.status):
            if (count := counts[change.state]) >= self._most:
                self._refused()
                raise TooManyRepetitions(job.id, change.state, count, self._most)
            counts = counts + Counter([change.state])
        self._counts[job.version + (1 if change.overtaken_status is None else 2)] = counts
        return change
