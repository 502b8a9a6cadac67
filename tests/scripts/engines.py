"""Engines for tests: the engine is compiled once a process, each test has workers of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psutil

from wfx.scripts import preparation
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import Outcome, RunRequest, RunResult

PATIENT = ScriptLimits(seconds=600.0, patience=600.0)
"""Limits of which no test that is not about time reaches one by being slow."""
_compiled: list[bytes] = []


@asynccontextmanager
async def opened(processes: int = 1, **limits: float) -> AsyncIterator[ScriptEngine]:
    """An engine that has started, and is closed in the end."""
    if not _compiled:
        _compiled.append(await preparation.compiled_engine())
    engine = ScriptEngine(replace(PATIENT, **limits), processes)  # type: ignore[arg-type]
    engine._pool = engine._new_pool(_compiled[0])
    try:
        yield engine
    finally:
        await engine.close()
        assert workers() == []


def workers() -> list[psutil.Process]:
    """The worker processes that there are."""
    return [child for child in psutil.Process().children() if "wfx.scripts.worker" in child.cmdline()]


async def value_of(engine: ScriptEngine, source: str, **request: Any) -> Any:
    """Run a script that has to be done; return what it gave."""
    result = await engine.run(RunRequest(source, **{"payload": b"{}", **request}))
    assert result.outcome is Outcome.DONE, result
    return json.loads(result.value)


async def outcome_of(engine: ScriptEngine, source: str, **request: Any) -> RunResult:
    """Run a script."""
    return await engine.run(RunRequest(source, **{"payload": b"{}", **request}))
