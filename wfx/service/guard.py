"""Guard of changes that callers make: time, limits, repetitions, then the store; asked only where options say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from wfx.config.tunables import Derived, Holder, Tunables
from wfx.domain.cause import EncodedCause
from wfx.domain.errors import CommandTimedOut, NotFound, Refused, TooManyRepetitions, TooManyStarted, WfxError
from wfx.domain.job import Change, Job
from wfx.domain.workflow import Actor
from wfx.limits.policy import Kind
from wfx.limits.repetitions import is_new
from wfx.service.command import Command
from wfx.service.counted_job import CountedJob
from wfx.service.limits import Limits, policy_of
from wfx.service.repetitions import Repetitions
from wfx.store.operations import ChangeJob, JobOperation
from wfx.store.protocol import DecideChange, DecideCreation, Store

Result = TypeVar("Result")


class Watched(NamedTuple):
    """Which changes the guard is to be asked for."""

    creations: bool
    """Of jobs: they have a limit in number or time."""
    reports: bool
    """That move jobs: they have a limit in number, time or repetitions."""
    changes: bool
    """All others, those of workflows among them: they have a limit in time."""


def _watched(tunables: Tunables) -> Watched:
    kinds, timed = policy_of(tunables).bands, tunables.sandbox_max_command_duration > 0
    repeated = tunables.sandbox_max_allowed_repetitions > 0
    return Watched(timed or Kind.INSTANCE_START in kinds, timed or repeated or Kind.ACTIVITY_START in kinds, timed)


class _JobMoved(WfxError):
    """The job has another version than the one for which was decided whether it may be changed."""


class Guard:
    """Makes changes of jobs within what the options allow; all raise what the store raises."""

    def __init__(self, store: Store, limits: Limits, tunables: Holder[Tunables]) -> None:
        """Change jobs in this store."""
        self._store = store
        self._limits = limits
        self._tunables = tunables
        self.watched = Derived(tunables, _watched)
        """Which changes are to be made by the methods here; others go to the store straight away."""
        self._repetitions = Repetitions(store)
        self.refusals = Counter[str]()
        """How often changes were refused for repetitions, and for their time, by reason."""

    @property
    def limits_creations(self) -> bool:
        """Whether jobs may be created in a limited number."""
        return self._limits.is_set(Kind.INSTANCE_START)

    @property
    def limits_repetitions(self) -> bool:
        """Whether states may be repeated in a limited number."""
        return self._tunables.current.sandbox_max_allowed_repetitions > 0

    async def create(
        self, workflow: str, decide: DecideCreation, *, client_id: str, size: int, cause: EncodedCause
    ) -> Job:
        """Create a job. Raises TooManyStarted and CommandTimedOut."""
        is_paid = False

        async def work(command: Command) -> Job:
            nonlocal is_paid
            if not is_paid:
                await self.require_start(workflow, decide, client_id)
                is_paid = True
            return await self._store.create_job(workflow, command.timed(decide), size=size, cause=cause)

        return await self.in_time(work)

    async def require_start(self, workflow: str, decide: DecideCreation, client_id: str) -> None:
        """Take the tokens of a job that is to be created, unless that is refused anyway. Raises TooManyStarted."""
        if self.limits_creations:
            decide(await self._store.get_workflow(workflow))
            await self._limits.require(Kind.INSTANCE_START, client_id=client_id, workflow=workflow)

    async def start_refusal(self, workflow: str, decide: DecideCreation, client_id: str) -> TooManyStarted | None:
        """Take the tokens of one of many jobs that are to be created; return why there are none, if so."""
        try:
            await self.require_start(workflow, decide, client_id)
        except TooManyStarted as exc:
            return exc
        except (NotFound, Refused):  # the store refuses it, too
            return None
        return None

    async def report(self, job_id: str, decide: DecideChange, actor: Actor, *, size: int, cause: EncodedCause) -> Job:
        """Move a job. Raises TooManyStarted, TooManyRepetitions and CommandTimedOut."""
        is_paid = actor is not Actor.CLIENT

        async def work(command: Command) -> Job:
            nonlocal is_paid
            while True:  # each time around somebody else has changed the job
                job = await self._store.get_job(job_id)
                change = decide(job)
                if not is_paid and change.state != job.state:
                    name = job.workflow.name
                    await self._limits.require(Kind.ACTIVITY_START, client_id=job.client_id, workflow=name)
                    is_paid = True
                await self._require_few(job, change)
                on_version = partial(_decide_on, version=job.version, decide=command.timed(decide))
                try:
                    return await self._store.change_job(job_id, on_version, size=size, cause=cause)
                except _JobMoved:
                    continue

        return await self.in_time(work)

    async def within_repetitions(self, operations: Sequence[JobOperation]) -> Sequence[JobOperation]:
        """Return operations that are planned together, of which those are refused that repeat a state too often."""
        most, found = self._tunables.current.sandbox_max_allowed_repetitions, dict[str, CountedJob]()
        for operation in operations if most else ():
            if isinstance(operation, ChangeJob) and operation.job_id not in found:
                with suppress(NotFound, Refused):  # the store refuses it, too
                    job = await self._store.get_job(operation.job_id)
                    if is_new(job, operation.decide(job).status):
                        counts = await self._repetitions.counts(job)
                        found[job.id] = CountedJob(job.version, counts, most, self._note_repetition)
        return [
            each._replace(decide=found[each.job_id].counted(each.decide))
            if isinstance(each, ChangeJob) and each.job_id in found
            else each
            for each in operations
        ]

    async def in_time(self, work: Callable[[Command], Coroutine[Any, Any, Result]]) -> Result:
        """Do work that begins in time, if there is a limit. Raises CommandTimedOut."""
        command = Command(self._tunables.current.sandbox_max_command_duration)
        try:
            return await command.run(partial(work, command))
        except CommandTimedOut:
            self.refusals["duration"] += 1
            raise

    async def _require_few(self, job: Job, change: Change) -> None:
        if most := self._tunables.current.sandbox_max_allowed_repetitions:
            try:
                await self._repetitions.require(job, change, most)
            except TooManyRepetitions:
                self._note_repetition()
                raise

    def _note_repetition(self) -> None:
        self.refusals["repetitions"] += 1


def _decide_on(job: Job, version: int, decide: DecideChange) -> Change:
    if job.version != version:
        raise _JobMoved
    return decide(job)
