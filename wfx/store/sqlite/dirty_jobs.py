"""Jobs changed since an index was built, and how."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from threading import Lock

from wfx.store.job_filters import JOB_FILTERS
from wfx.store.sqlite.numbering import NumberedJob

_NOTED = 20_000
"""Jobs to note at most. To read more of them anew takes longer than to begin from the indexes once more."""
_CHANGING = attrgetter(*{one.changes_with for one in JOB_FILTERS if one.changes_with})
"""The members of a job with which the conditions that it fulfils may change."""


class DirtyJobs:
    """What the event loop tells the searching thread: which jobs may fulfil other conditions than before."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._begun = 0
        """The head of the log after the newest change that was begun."""
        self._since: int | None = None
        """Every change behind this position was noted; None while nobody wants to know."""
        self._noted: deque[tuple[int, Sequence[int]]] = deque()
        self._count = 0

    def note(self, jobs: Iterable[NumberedJob], head: int) -> None:
        """Note what a change does to its jobs, before it is written: a snapshot may show it before its writer knows."""
        with self._lock:
            self._begun = head
            if self._since is not None:
                numbers = [job.number for job in jobs if _fulfils_others(job)]
                self._noted.append((head, numbers))
                self._count += len(numbers)
        if self._count > _NOTED:
            self.forget()

    def forget(self) -> None:
        """Act as if nobody had asked yet."""
        with self._lock:
            self._since, self._count = None, 0
            self._noted.clear()

    def follow(self) -> bool:
        """Note from now on; tells whether that begins only now."""
        with self._lock:
            begins = self._since is None
            if self._since is None:
                self._since = self._begun
            return begins

    def until(self, head: int) -> Collection[int] | None:
        """Return the jobs to read anew in a snapshot with this head, and perhaps more.

        Returns None if it is too old: what was on its way when noting began may be missing in both.
        """
        with self._lock:
            if self._since is None or head < self._since:
                return None
            return set().union(*(numbers for _, numbers in self._noted))

    def drop(self, head: int) -> None:
        """Forget what a snapshot with this head has shown."""
        with self._lock:
            while self._noted and self._noted[0][0] <= head:
                self._count -= len(self._noted.popleft()[1])


def _fulfils_others(job: NumberedJob) -> bool:
    before, after = job.before, job.after
    if before is None or after is None:
        return before is not after
    values: bool = _CHANGING(before) != _CHANGING(after)
    return values
