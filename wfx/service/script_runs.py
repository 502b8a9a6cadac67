"""Runs of scripts that tasks were: what is kept of them, and how they are listed and replayed.

A run is kept in the result of its task, in the transaction that ends that: so what was run is what moved the job, it is
encrypted as results are, and goes when the task goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from wfx.domain.errors import TaskNotFound
from wfx.domain.script_errors import ScriptsBusyNow, ScriptsUnavailableNow
from wfx.rules.own_actions import RUN_SCRIPT
from wfx.scripts.runs import Outcome, RunRequest, RunResult
from wfx.service.scripts import Scripts
from wfx.store.rule_protocol import RuleStore
from wfx.store.rule_records import Task, TaskQuery
from wfx.store.script_records import Script
from wfx.tasks.progress import Progress
from wfx.tasks.shown import input_of

LARGEST = 256 * 1024
"""Bytes of a run that is kept: of what it was given and returned."""
MOST = 64 * 1024 * 1024
"""Bytes of runs that one process keeps in a day."""
_DAY = 86_400.0
_LOOKED_AT = 1000
"""Tasks that are looked at for one page."""
_AT_ONCE = 100
_ROOM = 8 * 1024 * 1024
"""Bytes of the documents of a page, but for its last run."""
_UNTOLD: Mapping[Outcome, Callable[[str], Exception]] = {
    Outcome.BUSY: ScriptsBusyNow,
    Outcome.FAILED: ScriptsUnavailableNow,
}
"""Errors for outcomes of a replay that say nothing about the run."""


class KeptRun(NamedTuple):
    """All that a run depended on, and what came of it; documents are JSON texts, so that no byte of them changes."""

    version: str
    payload: str
    next: str
    nflow_data: str
    seed: int
    time: float
    outcome: str
    value: str
    error: str
    operations: int
    seconds: float

    @classmethod
    def of(cls, version: str, request: RunRequest, result: RunResult) -> Self:
        """Take what was asked for, and what came of it."""
        given = (request.payload.decode(), request.next, request.nflow_data.decode(), request.seed, request.time)
        return cls(version, *given, "", "", "", 0, 0.0).ended(result)

    @classmethod
    def of_task(cls, task: Task) -> Self | None:
        """Read it from a task; None if nothing is kept."""
        kept = Progress.of(task.result).run
        return cls(**kept) if kept is not None and set(kept) == set(cls._fields) else None

    def ended(self, result: RunResult) -> Self:
        """Return the run as if it had ended in this way."""
        error = "" if result.fault is None else result.fault.message
        return self._replace(
            outcome=result.outcome,
            value=result.value.decode(),
            error=error,
            operations=result.operations,
            seconds=round(result.took, 6),
        )

    @property
    def size(self) -> int:
        """How many characters its documents have."""
        return len(self.payload) + len(self.nflow_data) + len(self.value) + len(self.error)

    def request(self, script: Script) -> RunRequest:
        """Make the same request again."""
        payload, facts = self.payload.encode(), self.nflow_data.encode()
        return RunRequest(script.source, payload, self.next, facts, self.seed, self.time)

    def is_repeated_by(self, other: KeptRun) -> bool:
        """Tell whether another run of the same request gave the same."""
        return self._replace(seconds=0.0) == other._replace(seconds=0.0)


class Tracker:
    """Says of which runs something is kept."""

    def __init__(self, is_on: Callable[[], bool], now: Callable[[], float] = time.monotonic) -> None:
        """Keep runs as long as that is on."""
        self._is_on = is_on
        self._now = now
        self._day_began = now()
        self._size = 0
        """Bytes of the runs of the day that were kept."""

    def kept(self, version: str, request: RunRequest, result: RunResult) -> Mapping[str, Any] | None:
        """Return what is kept of a run; None if nothing: it is off, or the run, or all of a day, are too large."""
        if not self._is_on():
            return None
        run, now = KeptRun.of(version, request, result), self._now()
        if now - self._day_began >= _DAY:
            self._day_began, self._size = now, 0
        if run.size > LARGEST or self._size + run.size > MOST:
            return None
        self._size += run.size
        return run._asdict()


class ListedRun(NamedTuple):
    """A task that is a run of a script, and what is kept of the run."""

    task: Task
    kept: KeptRun | None


class RunPage(NamedTuple):
    """Some runs of a script."""

    runs: Sequence[ListedRun]
    next: int | None
    """Behind which task the next page begins; None if there is nothing."""


class ScriptRuns:
    """Use cases on runs of scripts; all raise what the store raises."""

    def __init__(self, store: RuleStore, scripts: Scripts) -> None:
        """Look at the tasks of this store."""
        self._store = store
        self._scripts = scripts

    async def list(self, name: str, after: int | None, limit: int) -> RunPage:
        """Return runs of a script, the newest first. A page may have few, or none, and others behind it."""
        self._scripts.require()
        runs: list[ListedRun] = []
        size = 0
        for _ in range(_LOOKED_AT // _AT_ONCE):
            query = TaskQuery(RUN_SCRIPT, after=after, limit=_AT_ONCE, descending=True)
            found = await self._store.list_tasks(query, _ROOM)
            for task in found:
                after = task.id
                if _script_of(task) == name:
                    runs.append(ListedRun(task, KeptRun.of_task(task)))
                    size += task.size
                    if len(runs) == limit or size > _ROOM:
                        return RunPage(runs, after)
            if not found:
                return RunPage(runs, None)
        return RunPage(runs, after)

    async def replay(self, name: str, task_id: int) -> tuple[KeptRun, KeptRun]:
        """Run what a task ran once more; return the run that was kept, and this one. Nothing else happens.

        Raises ScriptsOff, TaskNotFound for a task that is no run of the script or of which nothing is kept,
        ScriptNotFound if the version is not kept any more, ScriptsBusyNow if there was no slot for it, and
        ScriptsUnavailableNow if its process died.
        """
        self._scripts.require()
        found = await self._store.list_tasks(TaskQuery(RUN_SCRIPT, after=task_id - 1, limit=1), _ROOM)
        task = next((each for each in found if each.id == task_id and _script_of(each) == name), None)
        kept = None if task is None else KeptRun.of_task(task)
        if kept is None:
            raise TaskNotFound(task_id)
        result = await self._scripts.run(name, kept.version, kept.request)
        if result.outcome in _UNTOLD and result.fault is not None:
            raise _UNTOLD[result.outcome](result.fault.message)
        return kept, kept.ended(result)


def _script_of(task: Task) -> str:
    return str(input_of(task).get("script", ""))
