"""Writing connection: reads what plans begin with, and commits what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from wfx.domain.errors import StoreBusy, StoreError, StoreUnavailable
from wfx.store.backend import Applied, JobsLocked, Performed, Snapshot
from wfx.store.operations import Checkpoint, ExclusiveOperation
from wfx.store.plan import Plan
from wfx.store.postgres import checkpoints, exclusive_operations
from wfx.store.postgres.batch_values import Batch, batch_of
from wfx.store.postgres.connections import FAREWELL, Connection, Open, Plain, Result
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.enrolment import Membership
from wfx.store.postgres.faults import NO_ANSWER, ConnectionLost, DecideAgain, Locked
from wfx.store.postgres.job_summary import add_shifts
from wfx.store.postgres.known_log import KnownLog
from wfx.store.postgres.rows import SIZE, WORKFLOW, Row, stored_of
from wfx.store.postgres.sealed_rows import opened_jobs, sealed_batch, sealing_of
from wfx.store.postgres.statements import SQL, FencedStatements
from wfx.store.postgres.trimming import trim
from wfx.store.postgres.unfinished_import import under_way
from wfx.store.postgres.workflows import Workflows
from wfx.store.protocol import EVERYTHING

_log = logging.getLogger(__name__)

_ATTEMPTS = 5
"""How often a statement is sent that other servers were in the way of."""
_RECOVERY_PAUSE = 0.05
_MOST_SHIFTS = 2000
"""Changes of jobs that summaries by tag may have to look at, for each server, until they are added to the counts."""
_IDS = "job_id_key"
"""PostgreSQL's name for the constraint that no two jobs have the same id."""


class Writer:
    """Does one thing at a time, as its caller sees to.

    What a batch was decided on is compared when it is written, so no lock is held while the decisions are made. Each
    batch has a number, which is written in the server's row of the table of writers together with the answer. If the
    answer is lost, a new connection raises the epoch in that row: that waits for a statement that is under way, and
    keeps one that comes later from changing anything. So what the row says then is what has happened.
    """

    def __init__(
        self,
        connect: Open,
        workflows: Workflows,
        known: KnownLog,
        deadlines: Deadlines,
        fenced: FencedStatements,
        member: Membership,
    ) -> None:
        """Open the connection when it is first used."""
        self.connection = Connection(connect, self._claim, known_down=deadlines.known_down, writes=True)
        self._workflows = workflows
        self._known = known
        self._deadlines = deadlines
        self._fenced = fenced
        self._member = member
        self._began = 0.0
        """When what is done now began: a batch with its loading."""
        self._under_way = asyncio.Lock()
        self._id: UUID = uuid4()
        self._epoch = 0
        self._batch = 0
        self._locked: set[int] = set()
        """The numbers of jobs that somebody held a lock on when they were waited for last."""
        self._shifts = 0
        """Jobs that were changed since changes were added to the counts of tags."""
        self._told: Row = ()
        """What the server's row said when the connection was opened: epoch, batch, and the answer to that batch."""

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self.connection.is_open

    @property
    def server_pid(self) -> int:
        """The number of the process that serves the connection."""
        return self.connection.server_pid

    async def load(self, ids: Collection[str], names: Collection[str], room: int) -> Snapshot:
        """Read jobs and workflows as they are now; nothing is locked."""
        self._began = began = asyncio.get_running_loop().time()
        read = partial(self._load, ids=ids, names=names, room=room)
        return await self.connection.read(read, began + self._deadlines.load)

    async def _load(self, plain: Plain, ids: Collection[str], names: Collection[str], room: int) -> Snapshot:
        rows: Sequence[Row] = ()
        if wanted := [job_id for job_id in ids if "\0" not in job_id]:
            rows = await plain.fetch(SQL["jobs_by_id"], wanted, room)
        large = [row[1] for row in rows if row[SIZE] > room]
        fit = [row for row in rows if row[SIZE] <= room] if large else rows
        fit, damaged = opened_jobs(sealing_of(plain), fit, alone=room == EVERYTHING)
        large += damaged
        workflows = await self._workflows.numbered(plain, {row[WORKFLOW] for row in fit})
        named = await self._workflows.named(plain, names) if names else {}
        return Snapshot([stored_of(row, workflows) for row in fit if row[WORKFLOW] in workflows], named, large)

    async def apply(self, plan: Plan, checkpoint: Checkpoint | None) -> Applied:
        """Write the plan. Raises what :meth:`wfx.store.backend.Backend.apply` raises."""
        async with self._under_way:
            applied = await self._apply(batch_of(plan), checkpoint)
            if applied.first_seq:
                self.connection.waited_in_vain = False
                kept = [event for event in plan.events if event.job_id not in applied.stale]
                self._known.note(applied.first_seq + len(kept) - 1, kept[-1].ctime, kept[-1].job_id)
            return applied

    async def perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        """Do the operation. Raises what it is refused for."""
        async with self._under_way:
            self._began = asyncio.get_running_loop().time()
            performed = await self._perform(operation, now)
            for event in performed.events:
                self._known.note(event.seq, event.ctime, event.job_id)
            return performed

    async def settled(self) -> None:
        """Wait until what is being written now is answered."""
        async with self._under_way:
            pass

    async def close(self) -> None:
        """Leave the table of writers, and close the connection."""
        if self.connection.is_open:
            try:
                until = asyncio.get_running_loop().time() + FAREWELL
                await self.connection.run(lambda plain: plain.execute(SQL["forget_writers"], self._id), until)
            except StoreError as exc:
                _log.debug("cannot leave the table of writers: %s", exc)
        await self.connection.close()

    async def open(self) -> None:
        """Open the connection, however long it takes. Raises StoreUnavailable."""
        await self.connection.run(_nothing)

    async def _apply(self, batch: Batch, checkpoint: Checkpoint | None) -> Applied:
        if not self._locked.isdisjoint(batch.numbers):
            await self._refuse_locked(batch)  # at once: it was waited for in vain already
        try:
            first_seq, stale, done = (await self._send(self._sender(batch, checkpoint)))[:3]
        except Locked as exc:
            await self._refuse_locked(batch, exc)
            raise
        except asyncpg.UniqueViolationError as exc:
            if exc.constraint_name == _IDS:  # another server has created a job with the id meanwhile
                return Applied(0, batch.ids)
            if checkpoint is None or exc.constraint_name not in checkpoints.RACES:
                raise
            first_seq, stale, done = 0, (), False
        if checkpoint is not None and not done and not stale:
            raise await self._run(partial(checkpoints.refusal, checkpoint=checkpoint))
        if batch.long_histories and done:
            await self._trim(batch.long_histories)
        if done and not batch.is_still:
            await self._note_shifts(len(batch.ids))
        return Applied(first_seq or 0, frozenset(stale))

    async def _refuse_locked(self, batch: Batch, cause: Locked | None = None) -> None:
        """Raise JobsLocked if somebody holds a lock on some of the jobs, but not on the table of jobs."""
        if await self._run(lambda plain: plain.fetchval(SQL["jobs_are_locked"])):
            return  # to look at its rows would wait for that lock once more
        rows = await self._run(lambda plain: plain.fetch(SQL["locked_jobs"], batch.numbers))
        self._locked = {number for number, _ in rows}
        if rows:
            raise JobsLocked("somebody holds a lock on this job", {job_id for _, job_id in rows}) from cause

    async def _perform(self, operation: ExclusiveOperation, now: int) -> Performed:
        async def send(plain: Plain) -> Any:
            fence = exclusive_operations.Fence(self._id, self._epoch, self._batch)
            return await exclusive_operations.perform(plain, operation, now, fence, self._fenced)

        answer = await self._send(send)
        if isinstance(answer, Performed):
            return answer
        if (seq := answer[0]) is None:  # it was refused, and the reason is lost: nothing has happened
            return await self._perform(operation, now)
        return await self._run(lambda plain: exclusive_operations.performed(plain, operation, now, seq))

    def _sender(self, batch: Batch, checkpoint: Checkpoint | None) -> Callable[[Plain], Awaitable[Any]]:
        async def send(plain: Plain) -> Any:
            sealing, sql = sealing_of(plain), self._fenced.apply_still if batch.is_still else self._fenced.apply
            more: tuple[Any, ...] = ()
            if checkpoint is not None:
                sql, more = checkpoints.statement(checkpoint, self._fenced, sealing)
            values = sealed_batch(sealing, batch.values)
            return await plain.fetchrow(sql, self._id, self._epoch, self._batch, *values, *more)

        return send

    async def _send(self, send: Callable[[Plain], Awaitable[Any]]) -> Any:
        """Send a statement once more where it is certain that it has changed nothing; return its answer."""
        self._batch += 1
        until, clock = self._began + self._deadlines.write, asyncio.get_running_loop().time
        for attempt in range(_ATTEMPTS):
            if attempt and clock() > until:
                raise StoreBusy(f"{NO_ANSWER} in time; the change was not made")
            try:
                answer = await self.connection.run(send, until)
            except DecideAgain:
                continue
            except ConnectionLost as exc:
                answer = await self._recovered(exc)
            if answer is not None:
                return answer
            await self._run(self._claim)  # another connection with the server's name has its row, or it was dropped
        raise StoreUnavailable("other servers were in the way of this change again and again; try again later")

    async def _recovered(self, lost: ConnectionLost) -> Row | None:
        """Find out what has become of the batch; None if it was not done, and will not be."""
        deadline, clock = self._began + self._deadlines.read, asyncio.get_running_loop().time
        while True:
            try:
                await self.connection.run(_nothing, deadline)
            except StoreUnavailable as exc:
                if clock() + _RECOVERY_PAUSE > deadline:
                    reasons = "; ".join(dict.fromkeys((str(lost), str(exc))))
                    raise StoreUnavailable(f"it is unknown whether the change was made: {reasons}") from exc
                await asyncio.sleep(_RECOVERY_PAUSE)
            else:
                return self._told[2:] if self._told[1] == self._batch else None

    async def _run(self, work: Callable[[Plain], Awaitable[Result]]) -> Result:
        """Do what belongs to what was begun, in the time that is left for it."""
        return await self.connection.run(work, self._began + self._deadlines.read)

    async def _claim(self, plain: Plain) -> None:
        await self._known.check(plain)
        row = await self._member.claim(plain, self._id)
        if row is None:
            raise under_way()
        self._told = tuple(row)
        self._epoch = row[0]

    async def _trim(self, numbers: Sequence[int]) -> None:
        """Bring histories within their bounds. What fails is done at the next change of the job."""
        for number in numbers:
            try:
                await self._run(partial(trim, job=number))
            except StoreError as exc:
                _log.warning("cannot shorten the history of a job: %s", exc)

    async def _note_shifts(self, jobs: int) -> None:
        """Have changes added to the counts of tags before they are many. What fails is left to a chore."""
        self._shifts += jobs
        if self._shifts >= _MOST_SHIFTS:
            self._shifts = 0
            try:
                await self._run(add_shifts)
            except StoreError as exc:
                _log.warning("cannot add changes to the counts of tags: %s", exc)


async def _nothing(_: Plain) -> None:
    pass
