"""Search for finished jobs that have not been changed for long, in bounded steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from wfx.config.max_ages import MaxAges
from wfx.domain.finished import is_finished
from wfx.domain.job_list import JobListQuery, JobRow, Period
from wfx.domain.query import JobQuery, Paging
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store

TOGETHER = 100
"""Jobs that a step finds at most."""
_WORKFLOWS = 20
_ROOM = 4 * 1024 * 1024
"""Bytes of workflows that are read at once."""


class OldJobs:
    """Goes through the finished states of all workflows, one after the other, and remembers where it is.

    A state's jobs come from its index in the order of their creation. They end for us at the first one that was created
    too late to be old enough, so a round looks at old jobs and at those that were created as long ago, not at all.
    """

    def __init__(self, store: Store) -> None:
        """Begin with the first workflow."""
        self._store = store
        self._workflows = 0
        """How many workflows were read in this round."""
        self._states: deque[tuple[Workflow, str]] = deque()
        """Finished states of these that are still to be gone through."""
        self._after: int | None = None
        """Where the jobs of the first of these go on."""
        self._names: Mapping[bool, set[str]] = {True: set(), False: set()}
        """Names with an age that states or their groups have in this round, by whether the state is finished."""
        self.open_names: frozenset[str] = frozenset()
        """Names with an age that the last round found, but for no finished state."""

    async def step(self, ages: MaxAges, now: Timestamp) -> Sequence[JobRow] | None:
        """Return the next old jobs, perhaps none; None at the end of a round, behind which another one begins."""
        while self._states:
            workflow, state = self._states[0]
            if age := ages.of(state, workflow.group_of(state)):
                return await self._look(JobQuery(workflow=workflow.name, state=state), now, int(age * SECOND))
            self._states.popleft()
        return [] if await self._read_workflows(ages) else None

    async def _look(self, jobs: JobQuery, now: Timestamp, age: int) -> Sequence[JobRow]:
        first = await self._store.list_jobs(JobListQuery(jobs, after=self._after, limit=1))
        # A job from the future says nothing of those behind it: the clock was wrong when it was created.
        if not first.rows or now - age <= first.rows[0].stime <= now:
            self._go_on_behind(None)
            return []
        old = Period(until=now - age)
        found = await self._store.list_jobs(JobListQuery(jobs, modified=old, after=self._after, limit=TOGETHER))
        self._go_on_behind(found.next)
        return found.rows

    def _go_on_behind(self, place: int | None) -> None:
        self._after = place
        if place is None:
            self._states.popleft()

    async def _read_workflows(self, ages: MaxAges) -> bool:
        """Read the next workflows; tells whether there were any."""
        page = await self._store.query_workflows(Paging(offset=self._workflows, limit=_WORKFLOWS), _ROOM)
        if page.rest is not None and not page.items:
            page = await self._store.read_on(page.rest, page.rest.next_size)
        for workflow in page.items:
            self._take(workflow, ages)
        if page.items:
            self._workflows += len(page.items)
            return True
        self.open_names = frozenset(self._names[False] - self._names[True])
        self._workflows, self._names = 0, {True: set(), False: set()}
        return False

    def _take(self, workflow: Workflow, ages: MaxAges) -> None:
        for state in workflow.positions:
            finished = is_finished(workflow, state)
            if finished:
                self._states.append((workflow, state))
            self._names[finished].update(name for name in (state, workflow.group_of(state)) if ages.named.get(name))
