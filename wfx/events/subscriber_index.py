"""Index of subscribers by what they filter for: wakes those whom an event concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

from wfx.domain.job import Event, Subject
from wfx.events.query import EventFilter


class Wakeable(Protocol):
    """A reader who waits for news."""

    @property
    def filter(self) -> EventFilter:
        """What the reader wants to hear of."""

    @property
    def wants_bookmarks(self) -> bool:
        """Whether the reader is told how far the log is, too."""

    @property
    def lag(self) -> int:
        """How many events the reader is behind."""

    def wake(self, first: int) -> None:
        """Look at event ``first`` and what follows, as nothing before concerns the reader. No effect unless waiting."""

    def cut(self) -> None:
        """End the stream now, even in the middle of a send."""


class SubscriberIndex:
    """All readers, by what they listen to.

    A change to one job among readers of thousands wakes only those who care.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self.empty = asyncio.Event()
        """Set while there is no reader."""
        self.empty.set()
        self._all: dict[Wakeable, None] = {}
        self._of_everything: dict[Wakeable, None] = {}
        self._by_job: dict[str, dict[Wakeable, None]] = {}
        self._by_client: dict[str, dict[Wakeable, None]] = {}
        self._by_workflow: dict[str, dict[Wakeable, None]] = {}

    def __len__(self) -> int:
        """Count the readers."""
        return len(self._all)

    def __iter__(self) -> Iterator[Wakeable]:
        """Go through the readers as they are now; they may leave meanwhile."""
        return iter(tuple(self._all))

    def join(self, subscriber: Wakeable) -> None:
        """Wake this reader from now on."""
        self._all[subscriber] = None
        self.empty.clear()
        if subscriber.filter.names_nobody:
            self._of_everything[subscriber] = None
        for rooms, name in self._places(subscriber):
            rooms.setdefault(name, {})[subscriber] = None

    def leave(self, subscriber: Wakeable) -> None:
        """Forget this reader."""
        self._all.pop(subscriber, None)
        self._of_everything.pop(subscriber, None)
        for rooms, name in self._places(subscriber):
            rooms[name].pop(subscriber, None)
            if not rooms[name]:
                del rooms[name]
        if not self._all:
            self.empty.set()

    def tell(self, events: Sequence[Event]) -> None:
        """Wake the readers whom some of these consecutive events may concern: those of workflows concern none."""
        of_jobs = [event for event in events if event.subject is Subject.JOB]
        if not of_jobs:
            return
        for subscriber in self._of_everything:
            subscriber.wake(of_jobs[0].seq)
        for event in of_jobs:
            for subscribers in (
                self._by_job.get(event.job_id, ()),
                self._by_client.get(event.client_id, ()),
                self._by_workflow.get(event.workflow.name, ()),
            ):
                for subscriber in subscribers:
                    subscriber.wake(event.seq)

    def tell_end(self) -> None:
        """Wake all readers, for them to see that the end has come."""
        for subscriber in self._all:
            subscriber.wake(0)

    def tell_position(self, head: int) -> None:
        """Wake the readers of bookmarks whom nothing up to ``head`` concerns; call it after :meth:`tell`."""
        for subscriber in self._all:
            if subscriber.wants_bookmarks:
                subscriber.wake(head + 1)

    def _places(self, subscriber: Wakeable) -> Iterator[tuple[dict[str, dict[Wakeable, None]], str]]:
        chosen = subscriber.filter
        for rooms, names in (
            (self._by_job, chosen.job_ids),
            (self._by_client, chosen.client_ids),
            (self._by_workflow, chosen.workflows),
        ):
            for name in names or ():
                yield rooms, name
