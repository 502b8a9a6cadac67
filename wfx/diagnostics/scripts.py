"""Scripts on the page of processes: those that run in this process, and the tasks of scripts that failed last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wfx.diagnostics.sources import DebugSources
from wfx.domain.errors import StoreError
from wfx.domain.timestamp import SECOND, Timestamp, rfc3339
from wfx.rules.own_actions import RUN_SCRIPT
from wfx.scripts.engine import Running
from wfx.store.rule_records import TaskQuery, TaskState
from wfx.tasks.progress import Progress
from wfx.tasks.shown import origin

_FAILED = 20
"""Failed tasks that are shown."""
_ROOM = 4 * 1024 * 1024
"""Bytes of their documents that are read."""


async def scripts(sources: DebugSources) -> Mapping[str, Any]:
    """Tell what runs, and what has failed; nothing where scripts are not enabled."""
    running = sources.services.scripts.running
    if running is None:
        return {}
    told: dict[str, Any] = {"scripts": [*map(_shown, running)]}
    with suppress(StoreError):
        query = TaskQuery(RUN_SCRIPT, TaskState.FAILED, limit=_FAILED, descending=True)
        told["failedScripts"] = [
            {"task": task.id, "ended": rfc3339(task.mtime), "message": Progress.of(task.result).message, **origin(task)}
            for task in await sources.store.list_tasks(query, _ROOM)
        ]
    return told


def _shown(run: Running) -> dict[str, Any]:
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
