"""Jobs in memory, with their bounded histories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from wfx.domain.job import HistoryEntry, Job
from wfx.store.history_bounds import Link, cut_of, exceeds_bounds, marker_status, size_of_entry


@dataclass(slots=True)
class MemoryJob:
    """A job with its history."""

    number: int
    """The order of creation."""
    job: Job
    entries: dict[int, HistoryEntry] = field(default_factory=dict)
    """The history by version, oldest first."""

    def change(self, job: Job, entries: Iterable[HistoryEntry]) -> None:
        """Replace the job, add to its history, and drop the middle of that if there is too much."""
        self.entries.update(enumerate(entries, self.job.version))
        self.job = job
        if not exceeds_bounds(len(self.entries), sum(map(size_of_entry, self.entries.values()))):
            return
        links = [Link(version, version, size_of_entry(entry)) for version, entry in self.entries.items()]
        if (cut := cut_of(links[::-1])) is not None:
            kept = self.entries[cut.marker.version]
            marker = HistoryEntry(kept.mtime, marker_status(kept.status, cut.dropped), None)
            self.entries[cut.marker.version] = marker
            for link in cut.middle:
                del self.entries[link.version]
