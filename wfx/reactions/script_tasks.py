"""Runs of scripts that rules have promised, as tasks."""

from __future__ import annotations

import asyncio
from hashlib import sha256

from wfx.domain.cause import decode_cause
from wfx.domain.job import Job
from wfx.domain.json import encode
from wfx.domain.numbers import encode_free_form
from wfx.domain.script_errors import ScriptNotFound, ScriptsOff
from wfx.domain.timestamp import SECOND
from wfx.reactions.returned import decoded, read
from wfx.reactions.rule_source import RulesUnusable, action_types
from wfx.reactions.run_endings import LARGEST, RunEndings, Wanted, shown_job
from wfx.scripts.runs import Outcome, Purpose, RunRequest, RunResult
from wfx.service.script_runs import Tracker
from wfx.service.scripts import Scripts
from wfx.store.rule_records import Task
from wfx.store.script_records import Script
from wfx.tasks.performing import CannotBeDone, Ending, TryAgain

_PATIENCE = 10.0
"""Seconds that a run waits for its turn."""


class ScriptTasks:
    """Performs tasks that are runs of scripts."""

    def __init__(self, scripts: Scripts, endings: RunEndings, seconds: float, tracker: Tracker) -> None:
        """Run scripts for so many seconds at most, and keep of the runs what the tracker says."""
        self._scripts = scripts
        self._tracker = tracker
        self._endings = endings
        self.longest = _PATIENCE + seconds
        """Seconds that an attempt takes at most."""

    async def perform(self, task: Task) -> Ending:
        """Run the script, and return what it wants to be done. Raises as Perform says."""
        wanted = Wanted.of(task)
        job = await self._endings.job_of(wanted)
        purpose = Purpose(task=task.id, job_id=wanted.job_id, request_id=decode_cause(task.cause).request_id)
        made: list[tuple[str, RunRequest]] = []

        def make(script: Script) -> RunRequest:
            made.append((script.head.sha256, _request(task, wanted, job, script)))
            return made[-1][1]

        try:
            async with asyncio.timeout(self.longest):
                result = await self._scripts.run(wanted.name, None, make, purpose)
        except TimeoutError as exc:
            raise TryAgain(f"the script had not run after {self.longest:g} s, most of which it waited") from exc
        except (ScriptNotFound, ScriptsOff) as exc:
            raise CannotBeDone(str(exc)) from exc
        kept = self._tracker.kept(*made[-1], result) if made else None
        try:
            if result.outcome is not Outcome.DONE:
                raise _failure(result)
            ending = await self._endings.ending(task, wanted, job, decoded(result.value))
        except (CannotBeDone, TryAgain) as exc:
            exc.run = kept
            raise
        return ending._replace(run=kept)


def _request(task: Task, wanted: Wanted, job: Job | None, script: Script) -> RunRequest:
    """Return all that a run depends on. Raises CannotBeDone for what is too large."""
    payload = encode_free_form(wanted.payload)
    facts = encode({**wanted.data, **({} if job is None else {"job": shown_job(job)})})
    if len(payload) + len(facts) > LARGEST:
        raise CannotBeDone(f"the job and the event have more than the {LARGEST:,} bytes that a script is given")
    seed = int.from_bytes(sha256(task.key.encode()).digest()[:6])
    return RunRequest(script.source, payload, wanted.state, facts, seed, task.ctime / SECOND)


async def refusal_of(value: bytes) -> str:
    """Return why nothing of what a script returned would be done, whatever it is run for; empty if it might be."""
    try:
        await read(decoded(value), "script", action_types)
    except (CannotBeDone, RulesUnusable) as exc:
        return str(exc)
    return ""


def _failure(result: RunResult) -> CannotBeDone | TryAgain:
    """Return what is raised for a run that gave nothing.

    One for which no slot was free is tried again as often as any task, and one whose process died a few times: the
    script may be what has it die. What else there is would be so each time, or was wanted from outside.
    """
    fault, reason = result.fault, f"{result.outcome}: the run ended"
    if fault is not None:
        where = "" if fault.position is None else f" (line {fault.position.line}, column {fault.position.column})"
        reason = f"{result.outcome}: {fault.message}{where}"
    if result.outcome in (Outcome.BUSY, Outcome.FAILED):
        return TryAgain(reason, is_doubtful=result.outcome is Outcome.FAILED)
    return CannotBeDone(reason)
