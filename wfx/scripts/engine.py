"""Script engine: what the service calls.

    engine = ScriptEngine(ScriptLimits(), processes=2)
    await engine.start()                    # compiles the engine for this machine: 1 to 2 s; raises ScriptsUnavailable
    verdict = await engine.check(source)    # a script, or what is wrong and where
    result = await engine.run(RunRequest(source, b'{"amount":3}'))
    await engine.close()                    # no process is left

A run never raises for what a script does, nor for a worker that dies: that is in ``RunResult.outcome``.
"""

from __future__ import annotations

from dataclasses import dataclass

from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import RunRequest, RunResult, Verdict


@dataclass(frozen=True, slots=True)
class Running:
    """A run that has begun, for those who look on."""

    number: int
    name: str
    began: float
    """By the event loop's clock."""


class ScriptEngine:
    """The workers and the queue in front of them. Belongs to one event loop."""

    def __init__(self, limits: ScriptLimits, processes: int) -> None:
        """Start nothing yet; at most ``processes`` workers will run at a time."""
        raise NotImplementedError

    async def start(self) -> None:
        """Compile the engine for this machine, in a child process. Raises ScriptsUnavailable."""
        raise NotImplementedError

    async def check(self, source: str) -> Verdict:
        """Compile a source, in a worker. Raises Unavailable where no worker can."""
        raise NotImplementedError

    async def run(self, request: RunRequest, name: str = "") -> RunResult:
        """Run a script in a worker; ``name`` is whose turn it is among others, and stands in :attr:`running`.

        A caller that is cancelled returns at once, and the run is ended.
        """
        raise NotImplementedError

    @property
    def running(self) -> list[Running]:
        """The runs that have begun and not ended, the oldest first."""
        raise NotImplementedError

    def end(self, number: int) -> bool:
        """End a run, which gets Outcome.ENDED; tell whether there was one with this number."""
        raise NotImplementedError

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        raise NotImplementedError

    async def close(self) -> None:
        """End all; runs that wait or run get Outcome.FAILED. Returns when every process is gone."""
        raise NotImplementedError
