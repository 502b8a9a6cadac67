"""Runs of steps that rules have promised, as tasks: what a step reads, then what it decides, each in a thread.

Steps are code of the operator, as plugins are: nothing confines them. What they do wrong is a failure of their task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import Any

from wfx.domain.json import decode
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import SECOND
from wfx.reactions.run_endings import LARGEST, RunEndings, Wanted, shown_job
from wfx.rules.step_types import StepInput, Steps
from wfx.store.rule_records import Task
from wfx.tasks.performing import CannotBeDone, Ending, TryAgain

SECONDS = 30.0
"""How long a step may read, and how long it may decide."""
_MOST = 64
"""Threads of steps, those among them that nobody waits for any more."""
_logger = logging.getLogger("wfx")


class StepTasks:
    """Performs tasks that are runs of steps."""

    longest = 2 * SECONDS
    """Seconds that an attempt takes at most."""

    def __init__(self, steps: Callable[[], Steps], endings: RunEndings, seconds: float = SECONDS) -> None:
        """Run those of these steps that are there at that time."""
        self._steps = steps
        self._endings = endings
        self._seconds = seconds
        self._running = 0

    async def perform(self, task: Task) -> Ending:
        """Run the step, and return what it wants to be done. Raises as Perform says."""
        wanted = Wanted.of(task)
        if (installed := self._steps().get(wanted.name)) is None:
            raise CannotBeDone(f"there is no step {wanted.name[:100]!a} in this installation")
        job = await self._endings.job_of(wanted)
        shown = None if job is None else shown_job(job)
        given = StepInput(wanted.payload, wanted.state, shown, wanted.data, task.key, task.ctime / SECOND)
        collect = getattr(installed.step, "collect", None)
        try:
            facts = {} if collect is None else await self._called(collect, given)
        except _StepFailed as exc:  # it may have read from what is away for a moment
            raise TryAgain(f"the step {wanted.name} cannot collect its facts: {exc}") from exc
        try:
            value = _checked(await self._called(installed.step.run, given, facts))
        except _StepFailed as exc:
            raise CannotBeDone(f"the step {wanted.name} failed: {exc}") from exc
        return await self._endings.ending(task, wanted, job, value)

    async def _called(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a step in a thread of its own. Raises _StepFailed, and TryAgain if there are too many.

        A thread cannot be ended: one that takes too long is left alone, and counts until it ends by itself.
        """
        if self._running >= _MOST:
            raise TryAgain(f"{_MOST} steps run, or have not ended in their time")
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, failure: _StepFailed | None) -> None:
            self._running -= 1
            if ended.done():
                return
            if failure is None:
                ended.set_result(result)
            else:
                ended.set_exception(failure)

        def work() -> None:
            result, failure = None, None
            try:
                result = function(*arguments)
            except BaseException as exc:
                _logger.warning("a step of an installed package failed", exc_info=exc)
                failure = _StepFailed(f"{type(exc).__name__}: {exc}"[:400])
            with suppress(RuntimeError):  # the service has ended
                loop.call_soon_threadsafe(settle, result, failure)

        Thread(target=work, name="step", daemon=True).start()
        self._running += 1  # only if the system has let it begin
        try:
            async with asyncio.timeout(self._seconds):
                return await ended
        except TimeoutError as exc:
            raise _StepFailed(f"it took longer than {self._seconds:g} s") from exc


class _StepFailed(Exception):
    """A step raised an exception, or took too long."""


def _checked(value: Any) -> Mapping[str, Any]:
    """Return what a step returned, as JSON has it. Raises _StepFailed for what JSON cannot have, or has too much of."""
    if not isinstance(value, Mapping):
        raise _StepFailed(f"it returned {type(value).__name__}, and not a mapping")
    try:
        text = encode_free_form(dict(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise _StepFailed(f"it returned what is no JSON: {exc}"[:400]) from exc
    if len(text) > LARGEST:
        raise _StepFailed(f"it returned more than {LARGEST:,} bytes")
    found: Mapping[str, Any] = decode(text)
    if not isinstance(found.get("next", ""), str):
        raise _StepFailed("it returned a next state that is no text")
    return found
