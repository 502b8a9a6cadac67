"""Runs of steps that rules have promised, as tasks: what a step reads, then what it decides, each in a thread.

Steps are code of the operator, as plugins are: nothing confines them. What they do wrong is a failure of their task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from wfx.domain.json import decode
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import SECOND
from wfx.reactions.run_endings import LARGEST, RunEndings, Wanted, shown_job
from wfx.reactions.step_threads import StepFailed, StepThreads
from wfx.rules.step_types import StepInput, Steps
from wfx.store.rule_records import Task
from wfx.tasks.counts import TaskCounts
from wfx.tasks.performing import CannotBeDone, Ending, TryAgain

SECONDS = 30.0
"""How long a step may read, and how long it may decide."""


class StepTasks:
    """Performs tasks that are runs of steps."""

    longest = 2 * SECONDS
    """Seconds that an attempt takes at most."""

    def __init__(
        self, steps: Callable[[], Steps], endings: RunEndings, counts: TaskCounts, seconds: float = SECONDS
    ) -> None:
        """Run those of these steps that are there at that time, and count their threads there."""
        self._steps = steps
        self._endings = endings
        self._threads = StepThreads(seconds, counts)

    async def perform(self, task: Task) -> Ending:
        """Run the step, and return what it wants to be done. Raises as Perform says."""
        wanted = Wanted.of(task)
        if (installed := self._steps().get(wanted.name)) is None:
            raise CannotBeDone(f"there is no step {wanted.name[:100]!a} in this installation")
        call = partial(self._threads.call, wanted.name)
        job = await self._endings.job_of(wanted)
        shown = None if job is None else shown_job(job)
        given = StepInput(wanted.payload, wanted.state, shown, wanted.data, task.key, task.ctime / SECOND)
        collect = getattr(installed.step, "collect", None)
        try:
            facts = {} if collect is None else await call(collect, given)
        except StepFailed as exc:  # it may have read from what is away for a moment
            raise TryAgain(f"the step {wanted.name} cannot collect its facts: {exc}") from exc
        try:
            value = _checked(await call(installed.step.run, given, facts))
        except StepFailed as exc:
            raise CannotBeDone(f"the step {wanted.name} failed: {exc}") from exc
        return await self._endings.ending(task, wanted, job, value)


def _checked(value: Any) -> Mapping[str, Any]:
    """Return what a step returned, as JSON has it. Raises StepFailed for what JSON cannot have, or has too much of."""
    if not isinstance(value, Mapping):
        raise StepFailed(f"it returned {type(value).__name__}, and not a mapping")
    try:
        text = encode_free_form(dict(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise StepFailed(f"it returned what is no JSON: {exc}"[:400]) from exc
    if len(text) > LARGEST:
        raise StepFailed(f"it returned more than {LARGEST:,} bytes")
    found: Mapping[str, Any] = decode(text)
    if not isinstance(found.get("next", ""), str):
        raise StepFailed("it returned a next state that is no text")
    return found
