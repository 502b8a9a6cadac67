"""Pool of filter workers: runs jq programs that may be endless or hungry.

:mod:`wfx.filtering.shares` decides whose program goes next. :meth:`FilterPool.close` leaves no process behind.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from wfx.filtering.errors import FilterLimit, FilterUnavailable, Limit
from wfx.filtering.protocol import RUN
from wfx.filtering.shares import STOPPING, Shares, Turn
from wfx.sandbox.errors import LimitReached, SandboxError
from wfx.sandbox.frames import Frame
from wfx.sandbox.process import WorkerLimits, WorkerProcess, WorkerProgram, WorkerRequest
from wfx.sandbox.workers import Workers

_NICENESS = 10
_GROWN = 64 * 1024 * 1024
_MESSAGE_BYTES = 64 * 1024
"""Room for a message about a syntax error, which may quote the program."""

REVOKED, LEFT, FAILED = "revoked", "client-left", "failed"
KILLS = (Limit.TIME, Limit.MEMORY, Limit.OUTPUT, REVOKED, LEFT, FAILED)
"""Why a program was stopped before its end: it exceeded a limit, others needed the worker (it runs again later), its
client left, or its worker ended for another reason."""


@dataclass(frozen=True, slots=True)
class FilterLimits:
    """What one program may use."""

    deadline: float
    """Seconds from handing the program to a worker until its last output."""
    memory: int
    """Bytes of address space of a worker, the interpreter's own (about 30 MiB) included."""
    output: int
    """Bytes of all outputs together."""

    def exceeded(self, which: Limit) -> FilterLimit:
        """Build the refusal for a tripped limit."""
        value = {Limit.TIME: self.deadline, Limit.MEMORY: self.memory, Limit.OUTPUT: self.output}[which]
        return FilterLimit(which, value)


@dataclass(frozen=True, slots=True)
class FilterAnswer:
    """The answer to a request."""

    answer: Frame
    waited: float
    """Seconds until a worker was free."""


class FilterPool:
    """The workers, and the queue in front of them. Belongs to one event loop."""

    def __init__(self, limits: FilterLimits, size: int) -> None:
        """Start nothing yet; at most ``size`` workers will run at a time."""
        self.kills: Counter[str] = Counter(dict.fromkeys(KILLS, 0))
        """How many programs were stopped before their end; see :data:`KILLS`."""
        self._limits = limits
        self._shares = Shares(size)
        self._workers = Workers(_program(limits), _worker_limits(limits), size)

    def set_limits(self, limits: FilterLimits) -> None:
        """Give programs that begin later these limits."""
        if limits != self._limits:
            self._limits = limits
            self._workers.replace(_program(limits), _worker_limits(limits))

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        return self._workers.process_ids

    async def ask(
        self, kind: bytes, program: bytes, document: bytes = b"", *, client: str, patience: float
    ) -> FilterAnswer:
        """Have a worker serve a client's request; waits ``patience`` seconds at most until one is free.

        Raises FilterLimit when the program runs into a limit, and FilterUnavailable when no worker is free in time,
        none can be started, or one ends for no reason of the program's.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + patience
        while True:
            async with self._shares.turn(client, until - clock()) as turn:
                limits = self._limits
                request = WorkerRequest(kind, b"%d %b" % (limits.output, program), (document,), len(document))
                answer = await self._serve(turn, request, limits)
            if answer is not None:
                return FilterAnswer(answer, turn.waited)

    async def close(self) -> None:
        """End all workers; programs that still run or wait are refused. Returns when every process is gone."""
        self._workers.kill()
        await self._shares.close()
        await self._workers.end()

    async def _serve(self, turn: Turn, request: WorkerRequest, limits: FilterLimits) -> Frame | None:
        """Have a worker serve one request; None when the turn is revoked."""

        def begin(worker: WorkerProcess) -> None:
            self._shares.begin(turn, worker.kill)

        turn.typical = request.kind == RUN
        try:
            answer = await self._workers.serve(request, limits.deadline, fresh=self._shares.is_slow(turn), begun=begin)
        except asyncio.CancelledError:
            self.kills[LEFT] += 1
            raise
        except SandboxError as exc:
            if turn.revoked:
                self.kills[REVOKED] += 1
                return None
            raise self._error_for(exc, limits) from exc
        turn.took = answer.took
        return answer

    def _error_for(self, error: SandboxError, limits: FilterLimits) -> FilterLimit | FilterUnavailable:
        if isinstance(error, LimitReached):
            self.kills[error.which] += 1
            return limits.exceeded(Limit(error.which))
        if self._workers.closing:
            return FilterUnavailable(STOPPING)
        self.kills[FAILED] += 1
        return FilterUnavailable(f"The response filter was not run: {error}")


def _program(limits: FilterLimits) -> WorkerProgram:
    return WorkerProgram("wfx.filtering.worker", ("jq",), niceness=_NICENESS, grown=_GROWN, deadline=limits.deadline)


def _worker_limits(limits: FilterLimits) -> WorkerLimits:
    return WorkerLimits(limits.memory, limits.output + _MESSAGE_BYTES)
