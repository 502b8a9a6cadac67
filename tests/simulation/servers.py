"""Servers of one database in memory: every way there and back takes as long as the seed says, and commits may fail.

A server is a backend of the real store. What it asks for happens at one moment, somewhere between question and answer,
as a statement of PostgreSQL does: a batch is compared with the jobs as they are then, and what is stale is left out
(``wfx/store/postgres/apply.sql``). The server hears of the others' commits by the real listener of the PostgreSQL
backend, whose notifications come late, and whose sessions end at times.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, TypeVar, cast

import asyncpg

from tests.simulation.connections import Fault, Faults
from wfx.domain.errors import StoreFull, StoreUnavailable
from wfx.domain.job import Event, Job
from wfx.store.backend import Applied, Performed, Snapshot
from wfx.store.memory import MemoryBackend
from wfx.store.operations import TakeStep
from wfx.store.plan import EventDraft, PendingJob, Plan
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.known_log import KnownLog
from wfx.store.postgres.listener import Listener
from wfx.store.postgres.statements import SQL

Result = TypeVar("Result")
_DELAYS = (0.0, 0.0, 0.0001, 0.001, 0.02, 0.5)
"""Seconds that the way to the database takes, or the way back."""


class _Loaded(NamedTuple):
    """A job as it was when it was read."""

    job: Job


@dataclass(frozen=True)
class _Part:
    """What of a plan is not stale."""

    jobs: Sequence[PendingJob]
    events: Sequence[EventDraft]


class Database(MemoryBackend):
    """What the servers share. Each call is done at one moment."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.everything: list[Event] = []
        """All events that there ever were."""
        self.sessions: list[Session] = []
        """Who listens."""
        self.collisions = 0
        """How many changes were left out, since another server had changed the job."""

    @property
    def head(self) -> int:
        """The newest sequence number."""
        return self._head

    @property
    def horizon(self) -> int:
        """The newest sequence number that was pruned."""
        return self._horizon

    @property
    def log_id(self) -> str:
        """The identity of the log."""
        return self._log_id

    async def load(self, *args: Any) -> Snapshot:
        """Return jobs that do not change any more."""
        found = await super().load(*args)
        return found._replace(jobs=[_Loaded(loaded.job) for loaded in found.jobs])

    async def apply(self, plan: Plan, step: TakeStep | None = None) -> Applied:
        """Write what is not stale; with a step all or nothing."""
        stale = {_id(pending) for pending in plan.jobs if self.is_stale(pending)}
        self.collisions += len(stale)
        part = _Part(
            [pending for pending in plan.jobs if _id(pending) not in stale],
            [draft for draft in plan.events if draft.job_id not in stale],
        )
        if stale and (step is not None or not part.events):
            return Applied(0, stale)
        return (await super().apply(cast("Plan", part), step))._replace(stale=stale)

    def is_stale(self, pending: PendingJob) -> bool:
        """Tell whether the job is not any more what its change was decided on."""
        if pending.after is pending.before:
            return False
        if pending.before is None:
            assert pending.after is not None
            workflow = pending.after.workflow
            return pending.after.id in self._jobs or self._workflows.get(workflow.name) is not workflow
        present = self._job(pending.before.id)
        return present is None or present.version != pending.before.version

    def _log(self, drafts: Iterable[EventDraft]) -> Sequence[Event]:
        events = super()._log(drafts)
        self.everything += events
        return events


def _id(pending: PendingJob) -> str:
    job = pending.before or pending.after
    return "" if job is None else job.id


class Server:
    """A backend: one server's way to the database."""

    def __init__(self, database: Database, chance: random.Random, faults: Faults, number: int) -> None:
        """Be the server of this number."""
        self._database = database
        self._chance = chance
        self._faults = faults
        self._pid = number
        self._under_way = asyncio.Lock()
        self._known = KnownLog()
        self._listener = Listener(
            self._listen, self._known, lambda: self._pid, self._settled, Deadlines(), notified=True
        )

    def __getattr__(self, name: str) -> Any:
        """Do as the database does; what is asked for is done a while later, and answered a while after that."""
        found = getattr(self._database, name)
        return partial(self._far, found) if iscoroutinefunction(found) else found

    def watch_head(self, tell: Callable[[int], None], tell_replaced: Callable[[int], None]) -> None:
        """Listen from now on."""
        self._known.tell_replaced = tell_replaced
        self._listener.start(tell)

    def cached_workflow(self, _: str) -> None:
        """Keep nothing that may change."""

    async def apply(self, plan: Plan, step: TakeStep | None = None) -> Applied:
        """Write a plan, unless the commit fails."""
        return await self._write(self._database.apply, Applied(self._database.head + 1), plan, step)

    async def perform(self, *args: Any) -> Performed:
        """Do an exclusive operation, unless the commit fails."""
        return await self._write(self._database.perform, None, *args)

    async def close(self) -> None:
        """End listening; the database stays."""
        await self._listener.close()

    async def far(self, act: Callable[[], Result]) -> Result:
        """Do something in the database, at some moment."""
        await asyncio.sleep(self._chance.choice(_DELAYS))
        result = act()
        await asyncio.sleep(self._chance.choice(_DELAYS))
        return result

    def delay(self) -> float:
        """Draw how long something is on its way."""
        return self._chance.choice(_DELAYS)

    async def _far(self, act: Callable[..., Awaitable[Result]], *args: Any, **options: Any) -> Result:
        await asyncio.sleep(self.delay())
        try:
            return await act(*args, **options)
        finally:
            await asyncio.sleep(self.delay())

    async def _write(self, act: Callable[..., Awaitable[Any]], made_up: Any, *args: Any) -> Any:
        async with self._under_way:
            answer, newest = await self._far(self._commit, act, made_up, args)
            if newest is not None:
                self._known.note(newest.seq, newest.ctime, newest.job_id)
            return answer

    async def _commit(
        self, act: Callable[..., Awaitable[Any]], made_up: Any, args: Sequence[Any]
    ) -> tuple[Any, Event | None]:
        """Do it, or fail; return the answer and the newest event of it."""
        fault, head = self._faults.draw(), self._database.head
        if fault is Fault.FULL:
            raise StoreFull(fault.value)
        if fault is Fault.FAILED:
            raise StoreUnavailable(fault.value)
        if fault is Fault.LOST and made_up is not None:
            return made_up, None
        answer = await act(*args)
        newest = self._database.everything[-1] if self._database.head > head else None
        if newest is not None:
            for session in [*self._database.sessions]:
                session.notify(self._pid)
        if fault is Fault.UNCERTAIN:
            self._pid += 1000  # the next connection is served by another process
            raise StoreUnavailable(f"it is unknown whether the change was made: {fault.value}")
        return answer, newest

    async def _settled(self) -> None:
        async with self._under_way:
            pass

    async def _listen(self) -> Plain:
        await asyncio.sleep(self.delay())
        return cast("Plain", Session(self._database, self))


class Session:
    """A connection that listens, as far as the listener uses it."""

    def __init__(self, database: Database, server: Server) -> None:
        """Connect."""
        self._database = database
        self._server = server
        self._tell: Callable[..., None] = lambda *_: None
        self._end: Callable[[Any], None] = lambda _: None
        self._latest = 0.0
        """When the last notification comes: no later one overtakes it."""
        self._closed = False

    async def add_listener(self, channel: str, tell: Callable[..., None]) -> None:
        """Listen from some moment on."""
        assert channel == "wfx_log"
        self._tell = tell
        await self._server.far(lambda: self._database.sessions.append(self))

    def add_termination_listener(self, tell: Callable[[Any], None]) -> None:
        """Keep whom to tell of the end."""
        self._end = tell

    async def fetchrow(self, sql: str, seq: int) -> Sequence[Any]:
        """Return what the log is, its newest event and the one with this number."""
        assert sql == SQL["log_now"], "the log was never replaced"
        row = await self._server.far(lambda: self._log_now(seq))
        if self._closed:
            raise asyncpg.InterfaceError("connection is closed")
        return row

    def _log_now(self, seq: int) -> Sequence[Any]:
        database = self._database
        marks = [self._mark(number) for number in (database.head, seq)]
        return (database.log_id, database.head, database.horizon, *marks[0], *marks[1])

    def _mark(self, seq: int) -> tuple[Any, ...]:
        """Return what an event is known by, if it is there."""
        if not self._database.horizon < seq <= self._database.head:
            return (None, None)
        event = self._database.everything[seq - 1]
        return (event.ctime, event.job_id)

    def notify(self, pid: int) -> None:
        """Let a notification come, later; or let the session end, and the notification with it."""
        loop = asyncio.get_running_loop()
        if self._server.delay() == _DELAYS[-1] and self._server.delay() == _DELAYS[-1]:
            self.terminate()
            loop.call_later(self._server.delay(), self._end, self)
            return
        self._latest = max(self._latest, loop.time() + self._server.delay())
        loop.call_at(self._latest, self._tell, self, pid, "wfx_log", "")

    def is_closed(self) -> bool:
        """Tell whether it has ended."""
        return self._closed

    def terminate(self) -> None:
        """End."""
        self._closed = True
        if self in self._database.sessions:
            self._database.sessions.remove(self)

    async def close(self, **_: Any) -> None:
        """End."""
        self.terminate()
