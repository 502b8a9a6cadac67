"""Scripts on the page of processes: those that run in any worker of this server, and tasks of scripts that failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from wfx.domain.errors import StoreError
from wfx.domain.timestamp import SECOND, Timestamp, rfc3339
from wfx.rules.own_actions import RUN_SCRIPT
from wfx.scripts.engine import Running
from wfx.server.siblings import Answer, Siblings
from wfx.service.scripts import Scripts
from wfx.store.protocol import Store
from wfx.store.rule_records import TaskQuery, TaskState
from wfx.tasks.progress import Progress
from wfx.tasks.shown import origin

_FAILED = 20
"""Failed tasks that are shown."""
_ROOM = 4 * 1024 * 1024
"""Bytes of their documents that are read."""
_RUNNING, _END = "running-scripts", "end-script"
"""Names of the questions that workers ask each other."""


class EndAnswer(NamedTuple):
    """Result of ending a run."""

    has_ended: bool
    silent: Sequence[int]
    """Workers that did not answer, and may have the run."""


class RunningScripts:
    """The scripts that run in this process and, if it is one of several workers, in the others."""

    def __init__(self, scripts: Scripts, siblings: Siblings | None) -> None:
        """Take the scripts of this process, and the other workers, if there are any."""
        self._scripts = scripts
        self._siblings = siblings

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The answers of this process to the other workers."""

        async def running(_: str) -> Sequence[Any]:
            return self._own

        async def end(number: str) -> bool:
            return self._scripts.end(int(number))

        return {_RUNNING: running, _END: end}

    async def shown(self) -> Mapping[str, Any]:
        """Return the runs, the oldest first; nothing where scripts are not enabled."""
        if self._scripts.running is None:
            return {}
        if self._siblings is None:
            return {"scripts": self._own}
        answers = await self._siblings.ask(_RUNNING)
        told = {self._siblings.number: self._own, **answers.told}
        runs = [{**run, "worker": number} for number, runs in told.items() for run in runs]
        silent = {"silentWorkers": answers.silent} if answers.silent else {}
        return {"scripts": sorted(runs, key=lambda run: run["seconds"], reverse=True), **silent}

    async def end(self, number: int) -> EndAnswer:
        """End a run, whichever process has it: no two have one of the same number."""
        if self._scripts.end(number):
            return EndAnswer(has_ended=True, silent=())
        if self._siblings is None or self._scripts.running is None:
            return EndAnswer(has_ended=False, silent=())
        answers = await self._siblings.ask(_END, str(number))
        return EndAnswer(any(answers.told.values()), answers.silent)

    @property
    def _own(self) -> Sequence[Mapping[str, Any]]:
        return [_shown(run) for run in self._scripts.running or ()]


async def failed_scripts(store: Store) -> Mapping[str, Any]:
    """Return the tasks of scripts that failed last, and why."""
    with suppress(StoreError):
        query = TaskQuery(RUN_SCRIPT, TaskState.FAILED, limit=_FAILED, descending=True)
        return {"failedScripts": [
            {"task": task.id, "ended": rfc3339(task.mtime), "message": Progress.of(task.result).message, **origin(task)}
            for task in await store.list_tasks(query, _ROOM)
        ]}  # fmt: skip
    return {}


def _shown(run: Running) -> Mapping[str, Any]:
    seconds = asyncio.get_running_loop().time() - run.began
    return {
        "number": str(run.number),  # a text: some readers of JSON round large numbers
        "script": run.name,
        "version": run.purpose.version,
        "task": run.purpose.task,
        "jobId": run.purpose.job_id,
        "requestId": run.purpose.request_id,
        "began": rfc3339(Timestamp(int((time.time() - seconds) * SECOND))),
        "seconds": round(seconds, 3),
    }
