"""Attempts: performs a task once, and notes in the store what became of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from wfx import logs
from wfx.domain.cause import decode_cause
from wfx.domain.errors import Refused, StoreError
from wfx.domain.json import Json
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.logs.masks import MESSAGE
from wfx.request_context import LOG_FIELD
from wfx.rules.own_actions import RUN_SCRIPT, RUN_STEP
from wfx.store.operations import TellTask
from wfx.store.protocol import Store
from wfx.store.rule_records import NOTHING, Task, TaskOutcome, TaskState
from wfx.store.upkeep import present
from wfx.tasks.address_guard import AddressNotAllowed
from wfx.tasks.counts import TaskCounts
from wfx.tasks.performing import CannotBeDone, Ending, NotYet, Perform, TryAgain
from wfx.tasks.progress import Progress
from wfx.tasks.retry_plan import RetryPlan
from wfx.tasks.shown import damage_of, origin
from wfx.tasks.trying_again import patiently

_TOLD_BY_PROGRAMS = (RUN_SCRIPT, RUN_STEP)
"""Kinds of tasks whose messages have words of programs that see definitions and contexts."""
_WRITE_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds between attempts to write what became of a task. After that it is claimed, and performed, once more."""
MOST_DOUBTFUL = 3
"""Attempts at a task that are made though it may be the task itself that has them fail."""
_logger = logging.getLogger(__name__)
_NO_ENDING = Ending((), NOTHING, lambda _: "")


class _Told(NamedTuple):
    """What an attempt has come to."""

    outcome: TaskOutcome
    text: str
    level: int


class Attempts:
    """Performs tasks that were claimed."""

    def __init__(
        self,
        store: Store,
        plan: RetryPlan | None = None,
        counts: TaskCounts | None = None,
        now: Callable[[], Timestamp] = present,
    ) -> None:
        """Try again as the plan says."""
        self._store = store
        self._plan = plan or RetryPlan()
        self.counts = counts or TaskCounts()
        """What this process has done."""
        self._now = now

    async def run(self, perform: Perform, task: Task) -> bool:
        """Perform a task and note its end; give it back if that is cancelled. Return whether it may not begin yet."""
        began = time.monotonic()
        try:
            said = await self._attempt(perform, task)
        except NotYet as exc:
            waiting = Progress.of(task.result).waiting(str(exc))
            await self._write(task, TaskOutcome(TaskState.WAITING, waiting.encoded, exc.due))
            return True
        except asyncio.CancelledError:
            with suppress(StoreError, Refused):
                kept = task.result or Json(b"null")
                await self._store.finish_task(task, TaskOutcome(TaskState.WAITING, kept))
            raise
        self.counts.attempts[task.kind] += 1
        self.counts.seconds[task.kind].observe(time.monotonic() - began)
        told = await self._end(task, said) if isinstance(said, Ending) else said
        if told is not None and (isinstance(said, Ending) or await self._write(task, told.outcome)):
            self._count(task, told)
        return False

    async def _end(self, task: Task, ending: Ending) -> _Told | None:
        """Note the end of a task together with what is left to be done; None if that was not written."""
        told: list[_Told] = []

        def tell(answers: Sequence[Any]) -> TaskOutcome:
            told.append(_done(task, ending.tell(answers), ending))
            return told[-1].outcome

        try:
            return told[-1] if await self._write(task, tell, ending) else None
        except CannotBeDone as exc:
            reason = str(exc)
        except Exception as exc:  # what no store can write
            _logger.exception("what follows from task %d cannot be stored", task.id, extra={"fields": _fields(task)})
            reason = f"what follows cannot be stored: {type(exc).__name__}"
        finally:
            ending.release()
        failed = _failed(Progress.of(task.result).failed(reason).with_run(ending.run))
        return failed if await self._write(task, failed.outcome) else None

    async def _attempt(self, perform: Perform, task: Task) -> _Told | Ending:
        progress = Progress.of(task.result)
        if damage := damage_of(task):
            return _failed(progress.failed(f"the task cannot be read: {damage}"))
        try:
            said = await _performed(perform, task)
        except AddressNotAllowed as exc:
            return _failed(progress.failed(str(exc)))
        except NotYet:
            raise
        except CannotBeDone as exc:
            return _failed(progress.failed(str(exc)).with_run(exc.run))
        except TryAgain as exc:
            return self._again(progress.failed(str(exc), is_doubtful=exc.is_doubtful).with_run(exc.run))
        except Exception as exc:
            _logger.exception("performing task %d failed", task.id, extra={"fields": _fields(task)})
            return self._again(progress.failed(f"unexpected: {type(exc).__name__}"))
        return said if isinstance(said, Ending) else _done(task, said)

    def _again(self, progress: Progress) -> _Told:
        delay = self._plan.delay(progress.failures)
        if delay is None or progress.doubtful >= MOST_DOUBTFUL:
            return _failed(progress)
        due = Timestamp(self._now() + int(delay * SECOND))
        outcome = TaskOutcome(TaskState.WAITING, progress.encoded, due)
        return _Told(outcome, f"{progress.message}; it is tried again in {delay:.0f} s", logging.INFO)

    async def _write(self, task: Task, outcome: TaskOutcome | TellTask, ending: Ending = _NO_ENDING) -> bool:
        """Note what became of a task; tell whether that is so now."""
        write = partial(self._store.finish_task, task, outcome, ending.operations, ending.records)
        try:
            answers = await patiently(write, _WRITE_PAUSES)
        except Refused as exc:
            _logger.warning("%s", exc, extra={"fields": _fields(task)})
            return False
        except StoreError as exc:
            _logger.warning("cannot note the end of task %d: %s", task.id, exc)
            return False
        ending.note(answers)
        return True

    def _count(self, task: Task, told: _Told) -> None:
        if told.outcome.state is TaskState.DONE:
            self.counts.done[task.kind] += 1
        elif told.outcome.state is TaskState.FAILED:
            self.counts.failed[task.kind] += 1
        state = told.outcome.state.lower()
        text = logs.mask(MESSAGE) if task.kind in _TOLD_BY_PROGRAMS and logs.is_withheld(MESSAGE) else told.text
        _logger.log(told.level, "task %d is %s: %s", task.id, state, text, extra={"fields": _fields(task)})


async def _performed(perform: Perform, task: Task) -> str | Ending:
    """Perform a task, which is tried again after an error of the store."""
    try:
        return await perform(task)
    except StoreError as exc:
        raise TryAgain(str(exc)) from exc


def _done(task: Task, said: str, ending: Ending = _NO_ENDING) -> _Told:
    progress = Progress.of(task.result).succeeded(said).with_run(ending.run)
    return _Told(TaskOutcome(TaskState.DONE, progress.encoded), said, logging.DEBUG)


def _failed(progress: Progress) -> _Told:
    return _Told(TaskOutcome(TaskState.FAILED, progress.given_up().encoded), progress.message, logging.WARNING)


def _fields(task: Task) -> dict[str, object]:
    """Return what records about a task have: what it comes from, the id of the request that began it first."""
    request_id = decode_cause(task.cause).request_id
    named = {name: value for name, value in origin(task).items() if value}
    return {**({LOG_FIELD: request_id} if request_id else {}), "kind": task.kind, "key": task.key, **named}
