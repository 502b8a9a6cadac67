"""Cache of jobs as of the newest commit, and of the pages that polling devices get.

One process owns the database, so what is kept here stays right as long as it hears of every commit. Most of what is
asked is about few jobs: devices report on theirs again and again, and poll for new ones that seldom come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wfx.domain.job import Job
from wfx.domain.query import JobQuery, Page
from wfx.store.bounded_cache import BoundedCache
from wfx.store.figures import CacheFigures
from wfx.store.sizes import size_of
from wfx.store.sqlite.numbering import NumberedJob
from wfx.store.sqlite.rows import StoredJob

_Pages = dict[JobQuery, Page[Job]]

_ROOM = 64 * 1024 * 1024
"""Bytes to hold at most, half of them for jobs: some 25,000 of each kind."""
_OVERHEAD = 800
"""Bytes that a job or an answer takes beside its documents, roughly."""
_WAYS_TO_ASK = 8
"""Answers kept for each client; a device asks in one way or two."""


class JobCache:
    """Belongs to the event loop.

    A read may come in late, when a commit has changed what it saw. So whoever reads looks at :attr:`age` before, and
    what was read is kept only if nothing has happened since.
    """

    def __init__(self, room: int = _ROOM) -> None:
        self._jobs: BoundedCache[str, StoredJob] = BoundedCache(room // 2, _size_of_stored)
        self._pages: BoundedCache[str, _Pages] = BoundedCache(room // 2, _size_of_pages)
        self.age = 0
        """How often something has changed."""
        self.job: Callable[[str], StoredJob | None] = self._jobs.get
        """Returns a job, if it is here."""
        self._page_hits = self._page_misses = 0

    def page(self, query: JobQuery) -> Page[Job] | None:
        """Return the answer to a query for one client's jobs, if it is here."""
        pages = self._pages.get(query.client_id)
        found = None if pages is None else pages.get(query)
        if found is None:
            self._page_misses += 1
        else:
            self._page_hits += 1
        return found

    def figures(self) -> tuple[CacheFigures, CacheFigures]:
        """Tell how the jobs do, and the answers to polling devices; those count by client."""
        return (
            CacheFigures("jobs", len(self._jobs), self._jobs.hits, self._jobs.misses),
            CacheFigures("polls", len(self._pages), self._page_hits, self._page_misses),
        )

    def keep(self, stored: StoredJob, age: int) -> None:
        """Keep a job as it was read at this age."""
        if age == self.age:
            self._jobs.put(stored.job.id, stored)

    def keep_page(self, query: JobQuery, page: Page[Job], age: int) -> None:
        """Keep the answer to a query for one client's jobs as it was at this age."""
        if age != self.age:
            return
        pages = self._pages.get(query.client_id)
        fresh = {} if pages is None or len(pages) >= _WAYS_TO_ASK else pages
        self._pages.put(query.client_id, {**fresh, query: page})

    def take_in(self, jobs: Iterable[NumberedJob]) -> None:
        """Hear of a commit: what its jobs have become.

        New jobs are not kept before somebody asks for them: a campaign for a whole fleet would push out all others.
        """
        self.age += 1
        for numbered in jobs:
            job = numbered.after or numbered.before
            if job is None or numbered.after is numbered.before:
                continue
            self._pages.drop(job.client_id)
            if (stored := numbered.stored) is None:
                self._jobs.drop(job.id)
            elif numbered.before is not None:
                self._jobs.put(job.id, stored)

    def clear(self) -> None:
        """Forget everything, since it is unknown what was committed."""
        self.age += 1
        self._jobs.clear()
        self._pages.clear()


def _size_of_stored(stored: StoredJob) -> int:
    return _OVERHEAD + stored.size


def _size_of_pages(pages: _Pages) -> int:
    return sum(_OVERHEAD + sum(_OVERHEAD + size_of(job) for job in page.items) for page in pages.values())
