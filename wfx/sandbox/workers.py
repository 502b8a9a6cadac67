"""Worker processes of one program: started when needed, reused, ended.

A worker serves one request at a time, and is reused until it exceeds a limit, grows or fails; then it is ended, and the
next request starts another. Who may use a worker, and when, is decided by whoever has these.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from wfx.sandbox.errors import Limit, LimitReached, SandboxError, Unavailable
from wfx.sandbox.frames import FAILED, MEMORY, OUTPUT, Frame
from wfx.sandbox.process import WorkerLimits, WorkerProcess, WorkerProgram, WorkerRequest

log = logging.getLogger(__name__)

_START_SECONDS = 20.0
"""Deadline for a worker's start; usually it takes 0.2 s."""

_EXCEEDED = {
    -signal.SIGABRT: Limit.MEMORY,  # libraries abort when they get no memory
    -signal.SIGSEGV: Limit.MEMORY,  # values nested so deeply that the stack is used up
    -signal.SIGBUS: Limit.MEMORY,
    -signal.SIGKILL: Limit.MEMORY,  # by the system, short of memory
    -signal.SIGALRM: Limit.TIME,
    -signal.SIGXCPU: Limit.TIME,
}
"""The limit that a request exceeded, by the signal that ended its worker."""


class Workers:
    """The workers that there are. Belongs to one event loop."""

    def __init__(self, program: WorkerProgram, limits: WorkerLimits, most: int) -> None:
        """Start no worker yet. ``most`` is how many their user runs at once."""
        self._program = program
        self._limits = limits
        self._most = most
        self._idle: list[WorkerProcess] = []
        self._alive: set[WorkerProcess] = set()
        self._outdated: set[WorkerProcess] = set()
        """Those that were started for another program or other limits."""
        self.closing = False
        self.replaced = 0
        """How many were ended for what they did, while others went on."""

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the processes that there are."""
        return sorted(worker.process_id for worker in self._alive)

    async def serve(
        self,
        request: WorkerRequest,
        deadline: float,
        *,
        fresh: bool = False,
        begun: Callable[[WorkerProcess], None] | None = None,
    ) -> Frame:
        """Have a worker answer within so many seconds.

        ``fresh`` starts a worker also where that leaves an idle one for others, if there are not too many. ``begun`` is
        called with the worker when its work begins. Raises LimitReached, Unavailable.
        """
        worker = await self._worker(fresh=fresh)
        healthy = False
        try:
            if begun is not None:
                begun(worker)
            async with asyncio.timeout(deadline):
                answer = await worker.exchange(request)
            healthy = worker.running and not self.closing and worker not in self._outdated
        except TimeoutError as exc:
            raise LimitReached(Limit.TIME) from exc
        except (EOFError, ConnectionError) as exc:
            raise self._error_for(await worker.end()) from exc
        finally:
            await self._put_back(worker, healthy=healthy)
        return _checked(answer)

    def replace(self, program: WorkerProgram, limits: WorkerLimits) -> None:
        """Start workers with these from now on; those that there are finish what they do, and are used no more."""
        self._program, self._limits = program, limits
        self._outdated |= self._alive

    def kill(self) -> None:
        """Kill all workers and start no more."""
        self.closing = True
        for worker in self._alive:
            worker.kill()

    async def end(self) -> None:
        """End the idle workers. Returns when their processes are gone."""
        while self._idle:
            await self._put_back(self._idle.pop(), healthy=False)

    async def _worker(self, *, fresh: bool) -> WorkerProcess:
        """Take an idle worker, or start one."""
        while self._idle and not (fresh and len(self._alive) < self._most):
            worker = self._idle.pop()
            if worker.running and worker not in self._outdated:
                return worker
            await self._put_back(worker, healthy=False)
        if self.closing:
            raise self._error_for(0)
        program = self._program
        worker = await WorkerProcess.start(program, self._limits)
        self._alive.add(worker)
        ready = False
        try:
            if self.closing:  # meanwhile
                raise self._error_for(0)
            async with asyncio.timeout(_START_SECONDS):
                await worker.ready(program.preparation)
            ready = True
        except (EOFError, ConnectionError, TimeoutError) as exc:
            raise Unavailable(f"a worker process did not start (status {await worker.end()})") from exc
        finally:
            if not ready:
                await self._put_back(worker, healthy=False)
        return worker

    async def _put_back(self, worker: WorkerProcess, *, healthy: bool) -> None:
        """Keep a worker for the next request, or end it."""
        if healthy:
            self._idle.append(worker)
        else:
            self.replaced += not self.closing
            await worker.end()
            self._alive.discard(worker)
            self._outdated.discard(worker)

    def _error_for(self, status: int) -> SandboxError:
        """Return the error for a worker that ended with ``status`` in the middle of a request."""
        if self.closing:
            return Unavailable("the service is stopping")
        if status in _EXCEEDED:
            return LimitReached(_EXCEEDED[status], status)
        log.error("a worker process ended with status %d", status)
        return Unavailable(f"a worker process ended with status {status}")


def _checked(answer: Frame) -> Frame:
    if answer.kind in {MEMORY, OUTPUT}:
        raise LimitReached(Limit.MEMORY if answer.kind == MEMORY else Limit.OUTPUT)
    if answer.kind == FAILED:
        log.error("a worker process failed: %s", answer.head.decode())
        raise Unavailable("a worker process failed")
    return answer
